// The Linux calls that Swift's Glibc module leaves out: GNU extensions (hidden without _GNU_SOURCE), variadic functions
// and macros. Each wrapper has the name of the call behind `clinux_`, its arguments and its result. Nothing else.
#ifndef FTPFS_CLINUX_H
#define FTPFS_CLINUX_H

#include <spawn.h>
#include <stdint.h>
#include <sys/types.h>

/// pthread_setname_np(3) for the calling thread: the kernel keeps 15 bytes.
void clinux_set_thread_name(const char *name);

/// eventfd(2) with EFD_CLOEXEC and EFD_NONBLOCK.
int clinux_eventfd(unsigned int initial);

/// pipe2(2) with O_CLOEXEC.
int clinux_pipe_cloexec(int ends[2]);

/// fallocate(2) with FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE.
int clinux_punch_hole(int descriptor, int64_t offset, int64_t length);

/// memfd_create(2) with MFD_CLOEXEC; `name` is seen in /proc.
int clinux_memfd(const char *name);

/// syscall(SYS_gettid).
int32_t clinux_gettid(void);

/// openlog(3) as `ftpfs` with LOG_PID, facility LOG_DAEMON.
void clinux_openlog_ftpfs(void);

/// syslog(3) of one text, which is not a format.
void clinux_syslog(int priority, const char *text);

/// prctl(2) PR_SET_PDEATHSIG: the signal for the calling process when its parent ends; 0 for none.
int clinux_set_parent_death_signal(int signal);

/// mallopt(3) M_ARENA_MAX: among how many arenas malloc divides the threads. Without effect on those that there are.
void clinux_limit_arenas(int count);

/// posix_spawn_file_actions_addclosefrom_np(3).
int clinux_spawn_close_from(posix_spawn_file_actions_t *actions, int lowest);

/// pidfd_open(2).
int clinux_pidfd_open(pid_t process);

/// getsockopt(2) SO_PEERCRED: the user at the other end of a connected Unix socket, as when it connected.
int clinux_peer_user(int socket, uid_t *user);

/// prctl(2) PR_SET_DUMPABLE, 0: no core dump, and no ptrace(2) by the same user.
int clinux_forbid_dumps(void);

/// epoll_create1(2) with EPOLL_CLOEXEC.
int clinux_epoll_create(void);

/// epoll_ctl(2): reports `data` once when the descriptor has input (EPOLLIN | EPOLLONESHOT), whether it is in the set or not.
int clinux_epoll_watch_once(int epoll, int descriptor, uint64_t data);

/// epoll_wait(2) for one event, without a limit; its data.
int clinux_epoll_wait_one(int epoll, uint64_t *data);

#endif
