"""Opening, reading, writing, sizes, mappings, locks. Each case gets an empty directory to work in."""

import errno
import fcntl
import mmap
import os
import subprocess
import sys

from posix_support import case, equal, expect, fails, load, save

RW = os.O_RDWR | os.O_CREAT


@case
def open_missing(d): fails(errno.ENOENT, os.open, f"{d}/none", os.O_RDONLY)


@case
def open_below_file(d):
    save(f"{d}/f", b"x")
    fails(errno.ENOTDIR, os.open, f"{d}/f/x", os.O_RDONLY)


@case
def open_directory_for_writing(d):
    fails(errno.EISDIR, os.open, d, os.O_WRONLY)
    fails(errno.ENOTDIR, os.open, save(f"{d}/f", b"x"), os.O_RDONLY | os.O_DIRECTORY)


@case
def open_exclusive(d):
    os.close(os.open(f"{d}/f", RW | os.O_EXCL))
    fails(errno.EEXIST, os.open, f"{d}/f", RW | os.O_EXCL)


@case
def open_truncates(d):
    save(f"{d}/f", b"content")
    os.close(os.open(f"{d}/f", os.O_WRONLY | os.O_TRUNC))
    equal(os.stat(f"{d}/f").st_size, 0)


@case
def open_nofollow(d):
    save(f"{d}/f", b"x")
    os.close(os.open(f"{d}/f", os.O_RDONLY | os.O_NOFOLLOW))


@case
def write_only_cannot_read(d):
    with_fd = os.open(f"{d}/f", os.O_WRONLY | os.O_CREAT)
    fails(errno.EBADF, os.read, with_fd, 1)
    os.close(with_fd)
    fd = os.open(f"{d}/f", os.O_RDONLY)
    fails(errno.EBADF, os.write, fd, b"x")
    os.close(fd)


@case
def append_ignores_position(d):
    save(f"{d}/f", b"one")
    fd = os.open(f"{d}/f", os.O_RDWR | os.O_APPEND)
    os.lseek(fd, 0, os.SEEK_SET)
    os.write(fd, b"two")
    equal(os.lseek(fd, 0, os.SEEK_CUR), 6)
    os.write(fd, b"three")
    os.close(fd)
    equal(load(f"{d}/f"), b"onetwothree")


@case
def two_appenders(d):
    a = os.open(f"{d}/f", RW | os.O_APPEND)
    b = os.open(f"{d}/f", os.O_WRONLY | os.O_APPEND)
    for number in range(10):
        os.write(a if number % 2 else b, b"%d\n" % number)
    os.close(a)
    os.close(b)
    equal(load(f"{d}/f"), b"".join(b"%d\n" % number for number in range(10)))


@case
def read_sees_write_at_once(d):
    a, b = os.open(f"{d}/f", RW), os.open(f"{d}/f", os.O_RDONLY)
    os.write(a, b"hello")
    equal(os.pread(b, 10, 0), b"hello")
    os.pwrite(a, b"J", 0)
    equal(os.pread(b, 10, 0), b"Jello")
    os.close(a)
    os.close(b)


@case
def read_at_and_behind_end(d):
    fd = os.open(save(f"{d}/f", b"abc"), os.O_RDONLY)
    equal([os.pread(fd, 10, 2), os.pread(fd, 10, 3), os.pread(fd, 10, 1000)], [b"c", b"", b""])
    os.close(fd)


@case
def write_behind_end_makes_zeros(d):
    fd = os.open(f"{d}/f", RW)
    os.pwrite(fd, b"x", 10_000)
    equal(os.fstat(fd).st_size, 10_001)
    os.close(fd)
    equal(load(f"{d}/f"), bytes(10_000) + b"x")


@case
def truncate_and_extend(d):
    save(f"{d}/f", b"0123456789")
    os.truncate(f"{d}/f", 4)
    equal(load(f"{d}/f"), b"0123")
    os.truncate(f"{d}/f", 8)
    equal(load(f"{d}/f"), b"0123\0\0\0\0")
    os.truncate(f"{d}/f", 0)
    equal(os.stat(f"{d}/f").st_size, 0)


@case
def truncate_open_for_reading(d):
    fd = os.open(save(f"{d}/f", b"abc"), os.O_RDONLY)
    fails(errno.EINVAL, os.ftruncate, fd, 1)
    os.close(fd)
    fails(errno.EISDIR, os.truncate, d, 0)
    fails(errno.EINVAL, os.truncate, f"{d}/f", -1)


@case
def truncate_what_is_open(d):
    fd = os.open(f"{d}/f", RW)
    os.write(fd, b"0123456789")
    os.truncate(f"{d}/f", 3)
    equal(os.fstat(fd).st_size, 3)
    os.write(fd, b"x")
    os.close(fd)
    equal(load(f"{d}/f"), b"012" + bytes(7) + b"x")


@case
def seek(d):
    fd = os.open(save(f"{d}/f", b"0123456789"), os.O_RDONLY)
    equal(os.lseek(fd, -3, os.SEEK_END), 7)
    equal(os.read(fd, 10), b"789")
    fails(errno.EINVAL, os.lseek, fd, -1, os.SEEK_SET)
    os.close(fd)


@case
def seek_data_and_hole(d):
    fd = os.open(save(f"{d}/f", b"0123456789"), os.O_RDONLY)
    # A file system without holes has one, at its end (lseek(2)).
    equal(os.lseek(fd, 2, os.SEEK_DATA), 2)
    equal(os.lseek(fd, 2, os.SEEK_HOLE), 10)
    fails(errno.ENXIO, os.lseek, fd, 10, os.SEEK_DATA)
    os.close(fd)


@case
def dup_shares_position(d):
    fd = os.open(f"{d}/f", RW)
    other = os.dup(fd)
    os.write(fd, b"one")
    os.write(other, b"two")
    os.close(fd)
    os.write(other, b"three")
    os.close(other)
    equal(load(f"{d}/f"), b"onetwothree")


@case
def inherited_descriptor(d):
    fd = os.open(f"{d}/f", RW)
    os.write(fd, b"parent\n")
    subprocess.run(["echo", "child"], stdout=fd, check=True)
    os.write(fd, b"parent\n")
    os.close(fd)
    equal(load(f"{d}/f"), b"parent\nchild\nparent\n")


@case
def fsync_and_friends(d):
    fd = os.open(f"{d}/f", RW)
    os.write(fd, b"data")
    os.fsync(fd)
    os.fdatasync(fd)
    os.fsync(fd)
    os.close(fd)
    directory = os.open(d, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(directory)
    os.close(directory)


@case
def synchronous_writes(d):
    fd = os.open(f"{d}/f", RW | os.O_SYNC)
    os.write(fd, b"one")
    os.write(fd, b"two")
    os.close(fd)
    equal(load(f"{d}/f"), b"onetwo")


@case
def vectors(d):
    fd = os.open(f"{d}/f", RW)
    equal(os.pwritev(fd, [b"ab", b"cde"], 1), 5)
    parts = [bytearray(2), bytearray(4)]
    equal(os.preadv(fd, parts, 0), 6)
    equal(bytes(parts[0] + parts[1]), b"\0abcde")
    os.close(fd)


@case
def direct_io(d):
    fd = os.open(f"{d}/f", RW | os.O_DIRECT)
    page = mmap.mmap(-1, 4096)
    page.write(b"x" * 4096)
    equal(os.write(fd, page), 4096)
    os.close(fd)
    equal(load(f"{d}/f"), b"x" * 4096)


@case
def unnamed_temporary_file(d):
    fd = os.open(d, os.O_RDWR | os.O_TMPFILE)
    os.write(fd, b"x")
    os.close(fd)


@case
def unlinked_file_lives(d):
    fd = os.open(save(f"{d}/f", b"old"), os.O_RDWR)
    os.unlink(f"{d}/f")
    fails(errno.ENOENT, os.stat, f"{d}/f")
    os.pwrite(fd, b"new!", 3)
    equal(os.pread(fd, 10, 0), b"oldnew!")
    equal(os.fstat(fd).st_nlink, 0)
    equal(os.listdir(d), [])
    os.close(fd)


@case
def new_file_in_place_of_unlinked(d):
    fd = os.open(save(f"{d}/f", b"old"), os.O_RDONLY)
    os.unlink(f"{d}/f")
    save(f"{d}/f", b"other")
    equal(os.read(fd, 10), b"old")
    os.close(fd)
    equal(load(f"{d}/f"), b"other")


@case
def mapping_shared(d):
    fd = os.open(f"{d}/f", RW)
    os.ftruncate(fd, 8192)
    with mmap.mmap(fd, 8192) as view:
        view[0:5] = b"hello"
        view[5000:5005] = b"world"
        view.flush()
    os.close(fd)
    content = load(f"{d}/f")
    equal([content[:5], content[5000:5005], len(content)], [b"hello", b"world", 8192])


@case
def mapping_private(d):
    fd = os.open(save(f"{d}/f", b"x" * 4096), os.O_RDONLY)
    with mmap.mmap(fd, 4096, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE) as view:
        view[0:3] = b"abc"
        equal(view[:4], b"abcx")
    os.close(fd)
    equal(load(f"{d}/f"), b"x" * 4096)


@case
def mapping_outlives_descriptor(d):
    fd = os.open(save(f"{d}/f", b"x" * 4096), os.O_RDWR)
    with mmap.mmap(fd, 4096) as view:
        os.close(fd)
        view[0:1] = b"y"
        view.flush()
    equal(load(f"{d}/f")[:2], b"yx")


LOCKER = """
import fcntl, sys
file = open(sys.argv[1], "r+")
try:
    fcntl.{call}(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    sys.exit(3)
"""


def other_gets_lock(path, call):
    return subprocess.run([sys.executable, "-c", LOCKER.format(call=call), path]).returncode == 0


@case
def lock_flock(d):
    with open(save(f"{d}/f", b"x"), "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        expect(not other_gets_lock(f"{d}/f", "flock"))
        fcntl.flock(file, fcntl.LOCK_UN)
        expect(other_gets_lock(f"{d}/f", "flock"))


@case
def lock_records(d):
    with open(save(f"{d}/f", b"x"), "r+") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        expect(not other_gets_lock(f"{d}/f", "lockf"))
        fcntl.lockf(file, fcntl.LOCK_UN)
        expect(other_gets_lock(f"{d}/f", "lockf"))


@case
def copy_range(d):
    source = os.open(save(f"{d}/a", b"0123456789"), os.O_RDONLY)
    target = os.open(f"{d}/b", RW)
    equal(os.copy_file_range(source, target, 5, 2, 0), 5)
    os.close(source)
    os.close(target)
    equal(load(f"{d}/b"), b"23456")


@case
def send_file(d):
    source = os.open(save(f"{d}/a", b"0123456789"), os.O_RDONLY)
    target = os.open(f"{d}/b", RW)
    equal(os.sendfile(target, source, 1, 5), 5)
    os.close(source)
    os.close(target)
    equal(load(f"{d}/b"), b"12345")


@case
def allocate(d):
    fd = os.open(f"{d}/f", RW)
    os.posix_fallocate(fd, 0, 10_000)
    equal(os.fstat(fd).st_size, 10_000)
    os.close(fd)
    equal(load(f"{d}/f"), bytes(10_000))


@case
def huge_offset(d):
    fd = os.open(f"{d}/f", RW)
    os.ftruncate(fd, 5 << 30)
    equal(os.fstat(fd).st_size, 5 << 30)
    os.ftruncate(fd, 3)
    os.close(fd)
    equal(load(f"{d}/f"), bytes(3))


@case
def blocks_and_sizes(d):
    status = os.stat(save(f"{d}/f", b"x" * 5000))
    expect(status.st_blksize >= 512)
    expect(status.st_blocks * 512 >= 5000)


@case
def file_position_of_readers(d):
    save(f"{d}/f", b"0123456789")
    a, b = os.open(f"{d}/f", os.O_RDONLY), os.open(f"{d}/f", os.O_RDONLY)
    equal([os.read(a, 3), os.read(b, 5), os.read(a, 3)], [b"012", b"01234", b"345"])
    os.close(a)
    os.close(b)
