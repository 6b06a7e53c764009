// The libfuse API level that ftpfs is written against. 312 makes fuse_session_loop_mt a real function with an opaque
// configuration; libfuse 3.12 (2022) is the oldest version that has it. Only the C target CFuseBridge includes libfuse.
#ifndef FTPFS_CLIBFUSE_SHIM_H
#define FTPFS_CLIBFUSE_SHIM_H
#ifndef FUSE_USE_VERSION
#define FUSE_USE_VERSION 312
#endif
#include <fuse_lowlevel.h>
#endif
