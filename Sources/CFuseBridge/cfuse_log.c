// libfuse's messages.
//
// libfuse logs through one function for the whole process, in pieces when a line is long, and also in the child that
// is to become fusermount3; fusermount3 itself writes to standard error. While a session is made or mounted, all of
// it goes to one file in memory, from which the one cause is taken afterwards; the file works across fork, and no lock
// of the parent is touched in the child. At other times a message goes to the session's `log`.
#define _GNU_SOURCE
#include "cfuse_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// Longer messages are cut: libfuse's longest, in debug mode, hold a path (4096 bytes at most) and some numbers.
enum { MESSAGE_CAPACITY = 4608 };

static pthread_mutex_t route_lock = PTHREAD_MUTEX_INITIALIZER;
static struct cfuse_session *routed;
static atomic_int capture_file = -1;

static void route(enum fuse_log_level level, const char *format, va_list arguments) {
    char message[MESSAGE_CAPACITY];
    int length = vsnprintf(message, sizeof message, format, arguments);
    if (length < 0) return;
    if ((size_t)length >= sizeof message) length = sizeof message - 1;
    int file = atomic_load(&capture_file);
    if (file >= 0) {
        // A line that does not fit into memory is lost; there is nowhere to complain to.
        ssize_t ignored = write(file, message, (size_t)length);
        (void)ignored;
        return;
    }
    while (length > 0 && message[length - 1] == '\n') message[--length] = 0;
    if (length == 0) return;
    pthread_mutex_lock(&route_lock);
    if (routed) routed->operations.log(routed->context, (int)level, message);
    pthread_mutex_unlock(&route_lock);
}

void cfuse_log_route(struct cfuse_session *session) {
    pthread_mutex_lock(&route_lock);
    routed = session;
    pthread_mutex_unlock(&route_lock);
    fuse_set_log_func(route);
}

void cfuse_log_unroute(struct cfuse_session *session) {
    pthread_mutex_lock(&route_lock);
    if (routed == session) routed = NULL;
    pthread_mutex_unlock(&route_lock);
}

void cfuse_capture_begin(struct cfuse_capture *capture) {
    fuse_set_log_func(route);
    // Without a file or a standard error the messages go where they always went.
    capture->saved_standard_error = -1;
    capture->file = memfd_create("ftpfs-complaint", MFD_CLOEXEC);
    if (capture->file < 0) return;
    fcntl(capture->file, F_SETFL, O_APPEND);
    capture->saved_standard_error = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (capture->saved_standard_error >= 0) dup2(capture->file, STDERR_FILENO);
    atomic_store(&capture_file, capture->file);
}

// Whether a line comes from libfuse ("fuse: …") or from fusermount3 ("fusermount3: …").
static bool is_complaint(const char *line) {
    static const char *const origins[] = {"fuse: ", "fusermount"};
    for (size_t index = 0; index < sizeof origins / sizeof *origins; index++)
        if (strncmp(line, origins[index], strlen(origins[index])) == 0) return true;
    return false;
}

void cfuse_capture_end(struct cfuse_capture *capture, char *complaint, size_t capacity) {
    if (capacity > 0) complaint[0] = 0;
    if (capture->file < 0) return;
    atomic_store(&capture_file, -1);
    if (capture->saved_standard_error >= 0) {
        dup2(capture->saved_standard_error, STDERR_FILENO);
        close(capture->saved_standard_error);
    }
    lseek(capture->file, 0, SEEK_SET);
    FILE *lines = fdopen(capture->file, "r");
    if (!lines) {
        close(capture->file);
        return;
    }
    char *line = NULL;
    size_t size = 0;
    size_t used = 0;
    while (getline(&line, &size, lines) >= 0) {
        if (!is_complaint(line)) {
            dprintf(STDERR_FILENO, "%s", line);
        } else if (used + 1 < capacity) {
            int added = snprintf(complaint + used, capacity - used, "%s", line);
            used = added < 0 ? used : (size_t)added >= capacity - used ? capacity - 1 : used + (size_t)added;
        }
    }
    free(line);
    fclose(lines);
}
