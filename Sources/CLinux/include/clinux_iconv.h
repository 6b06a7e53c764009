// iconv(3), which Swift's Glibc module leaves out. Each wrapper has the name of the call behind `clinux_`, its arguments
// and its result; a descriptor is a plain pointer, and one that could not be opened is null.
#ifndef FTPFS_CLINUX_ICONV_H
#define FTPFS_CLINUX_ICONV_H

#include <stddef.h>

/// iconv_open(3); null where the call gives (iconv_t)-1.
void *clinux_iconv_open(const char *to, const char *from);

/// iconv(3). With `input` null it brings the descriptor back to its initial state and writes what that takes.
size_t clinux_iconv(
    void *descriptor, const unsigned char **input, size_t *input_left, unsigned char **output, size_t *output_left);

/// iconv_close(3).
int clinux_iconv_close(void *descriptor);

#endif
