// The Linux calls that Swift's Glibc module leaves out: GNU extensions (hidden without _GNU_SOURCE), variadic functions
// and macros. Each wrapper has the name of the call behind `clinux_`, its arguments and its result. Nothing else.
#ifndef FTPFS_CLINUX_H
#define FTPFS_CLINUX_H

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

/// syscall(SYS_gettid).
int32_t clinux_gettid(void);

#endif
