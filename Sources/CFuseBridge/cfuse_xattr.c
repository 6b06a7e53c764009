// Reading one extended attribute.
//
// Once a file system answers getxattr with anything but ENOSYS, the kernel passes every such question on: `ls -l` asks for
// `security.selinux` and `system.posix_acl_access` of each file, and before each write(2) the kernel itself asks for
// `security.capability`. Therefore it is off unless a mount wants it; and then all names but our own are answered here,
// without a look at anything.
//
// Listing is left out on purpose, so `cp -a` and `rsync -X` do not carry these attributes to where they mean nothing.
#include "cfuse_internal.h"

#include <errno.h>
#include <string.h>

void cfuse_on_getxattr(fuse_req_t request, fuse_ino_t inode, const char *name, size_t capacity) {
    struct cfuse_session *session = cfuse_session_of(request);
    if (!session->extended_attributes) {
        fuse_reply_err(request, ENOSYS);
    } else if (strncmp(name, CFUSE_ATTRIBUTE_PREFIX, sizeof CFUSE_ATTRIBUTE_PREFIX - 1) != 0) {
        fuse_reply_err(request, ENODATA);
    } else {
        const struct fuse_ctx *context = fuse_req_ctx(request);
        struct cfuse_caller caller = {.user = context->uid, .group = context->gid, .process = context->pid};
        session->operations.getxattr(session->context, cfuse_wrap(request), &caller, inode, name, capacity);
    }
}
