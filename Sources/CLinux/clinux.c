#define _GNU_SOURCE
#include "clinux.h"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <unistd.h>

void clinux_set_thread_name(const char *name) {
    char kept[16] = {0};
    strncpy(kept, name, sizeof kept - 1);
    pthread_setname_np(pthread_self(), kept);
}

int clinux_eventfd(unsigned int initial) { return eventfd(initial, EFD_CLOEXEC | EFD_NONBLOCK); }

int clinux_pipe_cloexec(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int clinux_punch_hole(int descriptor, int64_t offset, int64_t length) {
    return fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
}

int clinux_memfd(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int32_t clinux_gettid(void) { return (int32_t)syscall(SYS_gettid); }

void clinux_openlog_ftpfs(void) { openlog("ftpfs", LOG_PID, LOG_DAEMON); }

void clinux_syslog(int priority, const char *text) { syslog(priority, "%s", text); }

void clinux_limit_arenas(int count) { (void)mallopt(M_ARENA_MAX, count); }

int clinux_set_parent_death_signal(int signal) { return prctl(PR_SET_PDEATHSIG, (unsigned long)signal, 0, 0, 0); }

int clinux_spawn_close_from(posix_spawn_file_actions_t *actions, int lowest) {
    return posix_spawn_file_actions_addclosefrom_np(actions, lowest);
}

int clinux_peer_user(int socket, uid_t *user) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    int code = getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length);
    if (code == 0) *user = peer.uid;
    return code;
}

int clinux_pidfd_open(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

int clinux_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

int clinux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int clinux_epoll_watch_once(int epoll, int descriptor, uint64_t data) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = data};
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event) == 0) return 0;
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

int clinux_epoll_wait_one(int epoll, uint64_t *data) {
    struct epoll_event event = {0};
    int count = epoll_wait(epoll, &event, 1, -1);
    *data = event.data.u64;
    return count;
}
