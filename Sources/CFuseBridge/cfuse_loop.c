// The multi-threaded loop.
//
// libfuse's own (fuse_session_loop_mt) is not used, for four reasons: only another request wakes it after
// fuse_session_exit, so that it cannot be ended from a thread or a signal; it reads nothing more while all its threads
// are busy, so that Ctrl-C cannot reach a mount whose requests all wait for the network; it keeps every thread it ever
// started, with a buffer of 1 MiB each; and its threads take the signals of the process.
//
// How this one works. A *reader* waits in read(2) on the device; there is always one. When it has got a request it
// becomes *busy*, and starts another reader if it was the last one. When it is done it becomes a reader again, or ends
// if IDLE_READERS wait already. At most `maximum_threads` are busy: beyond that the last reader goes on reading, but
// only FORGET and INTERRUPT, which never wait, are dealt with at once; everything else is queued for the first thread
// that is done. The queue is as short as the list of processes that wait in the kernel, for each has one request there,
// and read-ahead is limited (BACKGROUND_REQUESTS).
//
// The end. cfuse_session_exit sets a flag and posts a semaphore, which a signal handler may do, too. When the file
// system is unmounted from outside, read gives ENODEV to a reader, which does the same. The thread that runs the loop
// then wakes the readers out of read(2) with a signal, and joins everybody, which takes as long as the last busy thread
// does. The signal is sent only to readers, with the lock held that a reader needs to become busy: no work is disturbed.
// One that is just about to read misses it, so it is sent again until there is no reader left. (pthread_cancel would do
// without the repetition, but unwinds the stack by force, which needs libgcc_s at run time and which ThreadSanitizer
// does not survive.)
//
// The buffers. They are this file's own, and not those that fuse_session_receive_buf makes, so that what a program
// writes lies on whole pages (PAYLOAD_OFFSET), as it does in the kernel on both sides. Behind a malloc(3)'s header it is
// askew to them, and processors copy large pieces between addresses that are askew slower, where they come from outside
// of the first caches: writing 512 MiB in requests of 1 MiB took 0.69 s of processor time, and 0.46 s so. They are the
// kernel's pages, so that those of a thread that ends go back to it: what malloc(3) gets back from sixty threads after a
// burst stays in its arenas, between smaller pieces that are in use.
#define _GNU_SOURCE
#include "cfuse_internal.h"

#include <errno.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// Readers that wait for the next burst instead of ending; libfuse's own default.
enum { IDLE_READERS = 10 };

// Wakes readers at the end. Its default action is to be ignored, so that one that comes late harms nobody.
enum { WAKE_SIGNAL = SIGURG };

// How long until a reader that missed the signal gets another one: too short to notice, too long to spin.
enum { WAKE_INTERVAL_NANOSECONDS = 5 * 1000 * 1000 };

// What is in front of the bytes of a write.
enum { PAYLOAD_OFFSET = sizeof(struct fuse_in_header) + sizeof(struct fuse_write_in) };

// The smallest page there is; where pages are larger, half of the gain is lost.
enum { PAGE_BYTES = 4096 };

// The largest request, and as much room for its headers and names as libfuse gives them.
enum { BUFFER_BYTES = REQUEST_BYTES + PAGE_BYTES };

// The same, behind the page in which the header of a request ends.
enum { MEMORY_BYTES = PAGE_BYTES + BUFFER_BYTES };

struct worker {
    struct worker *next;
    struct loop *loop;
    pthread_t thread;
    // Of BUFFER_BYTES; it lies in `memory`.
    struct fuse_buf buffer;
    void *memory;
    // Guarded by the loop's lock.
    bool reading;
};

// A request that no thread was free for, in a buffer of its own size.
struct queued {
    struct queued *next;
    struct fuse_buf buffer;
};

struct loop {
    struct cfuse_session *session;
    pthread_mutex_t lock;
    // Signalled when a reader leaves.
    pthread_cond_t left;
    // Guarded by `lock`.
    struct worker *workers;
    // The thread that ended last; whoever ends next joins it, the loop the last one.
    struct worker *ended;
    struct queued *first;
    struct queued **last;
    uint32_t readers;
    uint32_t busy;
    bool exiting;
    int error;
};

static void *work(void *argument);

static struct worker *make_worker(void) {
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker) return NULL;
    worker->memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (worker->memory == MAP_FAILED) {
        free(worker);
        return NULL;
    }
    worker->buffer.mem = (char *)worker->memory + PAGE_BYTES - PAYLOAD_OFFSET;
    return worker;
}

// Starts a reader. Called with the lock held. When there is no thread to be had, the caller reads on itself once it is
// done: slower, but never stuck.
static bool start_reader(struct loop *loop) {
    struct worker *worker = make_worker();
    if (!worker) return false;
    worker->loop = loop;
    worker->reading = true;
    sigset_t every, before;
    sigfillset(&every);
    sigdelset(&every, WAKE_SIGNAL);
    // Faults stay deliverable, or a crash would leave no report.
    for (const int *fault = (const int[]){SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS, 0}; *fault; fault++)
        sigdelset(&every, *fault);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    int failed = pthread_create(&worker->thread, NULL, work, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        munmap(worker->memory, MEMORY_BYTES);
        free(worker);
        return false;
    }
    worker->next = loop->workers;
    loop->workers = worker;
    loop->readers++;
    return true;
}

static void free_worker(struct worker *worker) {
    pthread_join(worker->thread, NULL);
    munmap(worker->memory, MEMORY_BYTES);
    free(worker);
}

// Waits for a request. Returns its length, 0 when the mount has ended, or a negative error number: -EINTR and -EAGAIN
// when there is none yet.
static int receive(struct worker *worker) {
    struct fuse_session *fuse = worker->loop->session->fuse;
    ssize_t count = read(fuse_session_fd(fuse), worker->buffer.mem, BUFFER_BYTES);
    int code = errno;
    if (fuse_session_exited(fuse)) return 0;
    if (count >= (ssize_t)sizeof(struct fuse_in_header)) {
        worker->buffer.size = (size_t)count;
        return (int)count;
    }
    if (count >= 0) return -EIO;
    switch (code) {
    case ENODEV: return 0;
    // The request was interrupted before it was read.
    case ENOENT: return -EAGAIN;
    default: return -code;
    }
}

// Requests that are dealt with at once, by whoever reads them.
static bool never_waits(const struct fuse_buf *buffer) {
    const struct fuse_in_header *header = buffer->mem;
    return header->opcode == FUSE_FORGET || header->opcode == FUSE_BATCH_FORGET || header->opcode == FUSE_INTERRUPT;
}

// Queues a copy. Called with the lock held. Without memory the request is dropped to the caller.
static bool enqueue(struct loop *loop, const struct fuse_buf *buffer) {
    struct queued *queued = calloc(1, sizeof *queued);
    if (!queued) return false;
    queued->buffer.size = buffer->size;
    queued->buffer.mem = malloc(buffer->size);
    if (!queued->buffer.mem) {
        free(queued);
        return false;
    }
    memcpy(queued->buffer.mem, buffer->mem, buffer->size);
    *loop->last = queued;
    loop->last = &queued->next;
    return true;
}

// Called with the lock held.
static struct queued *dequeue(struct loop *loop) {
    struct queued *queued = loop->first;
    if (!queued) return NULL;
    loop->first = queued->next;
    if (!loop->first) loop->last = &loop->first;
    return queued;
}

static void free_queued(struct queued *queued) {
    free(queued->buffer.mem);
    free(queued);
}

// Takes the worker off the list and joins the one that ended before. Called with the lock held, returns without.
static void retire(struct worker *worker) {
    struct loop *loop = worker->loop;
    struct worker **place = &loop->workers;
    while (*place != worker) place = &(*place)->next;
    *place = worker->next;
    struct worker *before = loop->ended;
    loop->ended = worker;
    pthread_mutex_unlock(&loop->lock);
    if (before) free_worker(before);
}

// Works on a request and on whatever is queued by then. Called with the lock held, and returns so.
static void process(struct loop *loop, struct fuse_buf *buffer) {
    loop->busy++;
    pthread_mutex_unlock(&loop->lock);
    fuse_session_process_buf(loop->session->fuse, buffer);
    pthread_mutex_lock(&loop->lock);
    struct queued *queued;
    while (!loop->exiting && (queued = dequeue(loop))) {
        pthread_mutex_unlock(&loop->lock);
        fuse_session_process_buf(loop->session->fuse, &queued->buffer);
        free_queued(queued);
        pthread_mutex_lock(&loop->lock);
    }
    loop->busy--;
}

static void *work(void *argument) {
    struct worker *worker = argument;
    struct loop *loop = worker->loop;
    struct fuse_session *fuse = loop->session->fuse;
    pthread_setname_np(pthread_self(), "fuse worker");
    pthread_mutex_lock(&loop->lock);
    while (!loop->exiting) {
        pthread_mutex_unlock(&loop->lock);
        int received = receive(worker);
        bool is_done = received > 0 && never_waits(&worker->buffer);
        if (is_done) fuse_session_process_buf(fuse, &worker->buffer);
        pthread_mutex_lock(&loop->lock);
        if (is_done || received == -EINTR || received == -EAGAIN) continue;
        if (received <= 0) {
            // 0: unmounted, or told to end.
            if (loop->error == 0) loop->error = -received;
            cfuse_session_exit(loop->session);
            break;
        }
        if (loop->exiting) break;
        if (loop->busy >= loop->session->maximum_threads && enqueue(loop, &worker->buffer)) continue;
        worker->reading = false;
        loop->readers--;
        if (loop->readers == 0) start_reader(loop);
        process(loop, &worker->buffer);
        if (!loop->exiting && loop->readers >= IDLE_READERS) {
            retire(worker);
            return NULL;
        }
        worker->reading = true;
        loop->readers++;
    }
    worker->reading = false;
    loop->readers--;
    pthread_cond_signal(&loop->left);
    pthread_mutex_unlock(&loop->lock);
    return NULL;
}

static void do_nothing(int signal) { (void)signal; }

// Gets every reader out of read(2). Called with the lock held and `exiting` set.
static void wake_readers(struct loop *loop) {
    while (loop->readers > 0) {
        for (struct worker *worker = loop->workers; worker; worker = worker->next)
            if (worker->reading) pthread_kill(worker->thread, WAKE_SIGNAL);
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += WAKE_INTERVAL_NANOSECONDS;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
        pthread_cond_timedwait(&loop->left, &loop->lock, &until);
    }
}

static void run(struct loop *loop) {
    pthread_mutex_lock(&loop->lock);
    bool started = start_reader(loop);
    pthread_mutex_unlock(&loop->lock);
    if (started) {
        while (!atomic_load(&loop->session->exiting)) sem_wait(&loop->session->wake);
    } else {
        loop->error = EAGAIN;
    }
    loop->session->operations.ending(loop->session->context);

    pthread_mutex_lock(&loop->lock);
    loop->exiting = true;
    wake_readers(loop);
    pthread_mutex_unlock(&loop->lock);
    // From here on nobody starts, retires or queues: the list is this thread's.
    while (loop->workers) {
        struct worker *worker = loop->workers;
        loop->workers = worker->next;
        free_worker(worker);
    }
    if (loop->ended) free_worker(loop->ended);
    struct queued *queued;
    while ((queued = dequeue(loop))) free_queued(queued);
}

int cfuse_session_loop(cfuse_session *session) {
    struct loop loop = {.session = session};
    loop.last = &loop.first;
    pthread_mutex_init(&loop.lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&loop.left, &monotonic);
    pthread_condattr_destroy(&monotonic);
    // A handler, and no SA_RESTART: an ignored signal would not end read(2).
    struct sigaction wake = {.sa_handler = do_nothing};
    struct sigaction before;
    sigaction(WAKE_SIGNAL, &wake, &before);

    run(&loop);

    sigaction(WAKE_SIGNAL, &before, NULL);
    pthread_cond_destroy(&loop.left);
    pthread_mutex_destroy(&loop.lock);
    return loop.error;
}
