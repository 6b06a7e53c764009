#include "clinux_iconv.h"

#include <iconv.h>

void *clinux_iconv_open(const char *to, const char *from) {
    iconv_t descriptor = iconv_open(to, from);
    return descriptor == (iconv_t)-1 ? NULL : descriptor;
}

size_t clinux_iconv(
    void *descriptor, const unsigned char **input, size_t *input_left, unsigned char **output, size_t *output_left) {
    return iconv(descriptor, (char **)input, input_left, (char **)output, output_left);
}

int clinux_iconv_close(void *descriptor) { return iconv_close(descriptor); }
