"""Names, directories, links, attributes. Each case gets an empty directory to work in."""

import ctypes
import errno
import os
import stat

from posix_support import case, equal, expect, fails, load, save

LIBC = ctypes.CDLL(None, use_errno=True)
RENAME_NOREPLACE, RENAME_EXCHANGE = 1, 2


def rename_with(flags, source, target):
    """renameat2(2), which Python has not."""
    if LIBC.renameat2(-100, os.fsencode(source), -100, os.fsencode(target), flags) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


@case
def rename_replaces(d):
    save(f"{d}/a", b"a")
    save(f"{d}/b", b"b")
    os.rename(f"{d}/a", f"{d}/b")
    equal([os.listdir(d), load(f"{d}/b")], [["b"], b"a"])


@case
def rename_to_itself(d):
    save(f"{d}/a", b"a")
    os.rename(f"{d}/a", f"{d}/a")
    equal(load(f"{d}/a"), b"a")


@case
def rename_missing(d): fails(errno.ENOENT, os.rename, f"{d}/none", f"{d}/b")


@case
def rename_into_missing(d):
    save(f"{d}/a", b"a")
    fails(errno.ENOENT, os.rename, f"{d}/a", f"{d}/none/b")


@case
def rename_directory_over_empty(d):
    os.makedirs(f"{d}/a/inner")
    os.mkdir(f"{d}/b")
    os.rename(f"{d}/a", f"{d}/b")
    equal(os.listdir(f"{d}/b"), ["inner"])


@case
def rename_directory_over_full(d):
    os.mkdir(f"{d}/a")
    os.makedirs(f"{d}/b/inner")
    fails(errno.ENOTEMPTY, os.rename, f"{d}/a", f"{d}/b")


@case
def rename_between_kinds(d):
    os.mkdir(f"{d}/a")
    save(f"{d}/f", b"x")
    fails(errno.ENOTDIR, os.rename, f"{d}/a", f"{d}/f")
    fails(errno.EISDIR, os.rename, f"{d}/f", f"{d}/a")


@case
def rename_into_itself(d):
    os.mkdir(f"{d}/a")
    fails(errno.EINVAL, os.rename, f"{d}/a", f"{d}/a/b")


@case
def rename_of_open_file(d):
    fd = os.open(save(f"{d}/a", b"one"), os.O_RDWR | os.O_APPEND)
    os.rename(f"{d}/a", f"{d}/b")
    os.write(fd, b"two")
    os.close(fd)
    equal([os.listdir(d), load(f"{d}/b")], [["b"], b"onetwo"])


@case
def rename_over_open_file(d):
    fd = os.open(save(f"{d}/b", b"old"), os.O_RDONLY)
    save(f"{d}/a", b"new")
    os.rename(f"{d}/a", f"{d}/b")
    equal([os.read(fd, 10), load(f"{d}/b")], [b"old", b"new"])
    os.close(fd)


@case
def rename_above_open_file(d):
    os.mkdir(f"{d}/a")
    fd = os.open(f"{d}/a/f", os.O_RDWR | os.O_CREAT)
    os.rename(f"{d}/a", f"{d}/b")
    os.write(fd, b"x")
    os.close(fd)
    equal(load(f"{d}/b/f"), b"x")


@case
def rename_without_replacing(d):
    save(f"{d}/a", b"a")
    save(f"{d}/b", b"b")
    fails(errno.EEXIST, rename_with, RENAME_NOREPLACE, f"{d}/a", f"{d}/b")
    rename_with(RENAME_NOREPLACE, f"{d}/a", f"{d}/c")
    equal(sorted(os.listdir(d)), ["b", "c"])


@case
def rename_exchanges(d):
    save(f"{d}/a", b"a")
    save(f"{d}/b", b"b")
    rename_with(RENAME_EXCHANGE, f"{d}/a", f"{d}/b")
    equal(load(f"{d}/a"), b"b")


@case
def unlink_refusals(d):
    fails(errno.ENOENT, os.unlink, f"{d}/none")
    os.mkdir(f"{d}/a")
    fails(errno.EISDIR, os.unlink, f"{d}/a")


@case
def mkdir_refusals(d):
    save(f"{d}/f", b"x")
    fails(errno.EEXIST, os.mkdir, f"{d}/f")
    fails(errno.ENOENT, os.mkdir, f"{d}/none/a")
    fails(errno.ENOTDIR, os.mkdir, f"{d}/f/a")


@case
def rmdir_refusals(d):
    save(f"{d}/f", b"x")
    fails(errno.ENOTDIR, os.rmdir, f"{d}/f")
    os.makedirs(f"{d}/a/inner")
    fails(errno.ENOTEMPTY, os.rmdir, f"{d}/a")
    fails(errno.ENOENT, os.rmdir, f"{d}/none")
    fails(errno.EINVAL, os.rmdir, f"{d}/a/.")


@case
def rmdir_of_open_directory(d):
    os.mkdir(f"{d}/a")
    fd = os.open(f"{d}/a", os.O_RDONLY)
    os.rmdir(f"{d}/a")
    equal(os.listdir(fd), [])
    fails(errno.ENOENT, os.open, "f", os.O_RDWR | os.O_CREAT, dir_fd=fd)
    os.close(fd)


@case
def name_of_255_bytes(d):
    name = "n" * 255
    save(f"{d}/{name}", b"x")
    equal(os.listdir(d), [name])


@case
def name_of_256_bytes(d):
    fails(errno.ENAMETOOLONG, os.open, f"{d}/{'n' * 256}", os.O_RDWR | os.O_CREAT)
    fails(errno.ENAMETOOLONG, os.mkdir, f"{d}/{'n' * 256}")
    fails(errno.ENAMETOOLONG, os.stat, f"{d}/{'n' * 256}")


@case
def path_too_long(d): fails(errno.ENAMETOOLONG, os.stat, d + "/x" * 3000)


@case
def dots_and_slashes(d):
    os.makedirs(f"{d}/a/b")
    save(f"{d}/a/f", b"x")
    equal(load(f"{d}//a/./b/..//f"), b"x")
    fails(errno.ENOTDIR, os.stat, f"{d}/a/f/")
    fails(errno.ENOENT, os.stat, f"{d}/none/..")


@case
def names_are_bytes(d):
    names = sorted([b"caf\xe9", b"caf\xc3\xa9", b"cafe\xcc\x81", b" lead", b"-dash", b"*"])
    for name in names:
        save(os.fsencode(d) + b"/" + name, name)
    equal(sorted(os.listdir(os.fsencode(d))), names)
    for name in names:
        equal(load(os.fsencode(d) + b"/" + name), name)


@case
def name_with_blank_at_the_end(d):
    save(f"{d}/a ", b"x")
    equal(os.listdir(d), ["a "])


@case
def name_with_backslash(d):
    save(f"{d}/a\\b", b"x")
    equal(os.listdir(d), ["a\\b"])


@case
def name_with_control_character(d):
    save(f"{d}/a\x01b", b"x")
    equal(os.listdir(d), ["a\x01b"])


@case
def name_with_newline(d):
    save(f"{d}/a\nb", b"x")
    equal(os.listdir(d), ["a\nb"])


@case
def case_counts(d):
    save(f"{d}/a", b"a")
    save(f"{d}/A", b"A")
    equal([load(f"{d}/a"), load(f"{d}/A")], [b"a", b"A"])


@case
def directory_position(d):
    for number in range(50):
        save(f"{d}/f{number}", b"")
    LIBC.opendir.restype = LIBC.readdir.restype = ctypes.c_void_p
    LIBC.telldir.restype = ctypes.c_long
    stream = ctypes.c_void_p(LIBC.opendir(os.fsencode(d)))
    read = lambda: ctypes.string_at(LIBC.readdir(stream) + 19)  # noqa: E731: d_name is behind 19 bytes
    for _ in range(10):
        read()
    place = LIBC.telldir(stream)
    following = [read() for _ in range(10)]
    LIBC.seekdir(stream, ctypes.c_long(place))
    equal([read() for _ in range(10)], following)
    LIBC.rewinddir(stream)
    seen = set()
    while entry := LIBC.readdir(stream):
        seen.add(ctypes.string_at(entry + 19))
    equal(len(seen), 52)
    LIBC.closedir(stream)


@case
def directory_changes_while_read(d):
    for number in range(300):
        save(f"{d}/f{number:03}", b"")
    with os.scandir(d) as entries:
        names = [next(entries).name]
        for number in range(0, 300, 2):
            if f"f{number:03}" not in names:
                os.unlink(f"{d}/f{number:03}")
        names += [entry.name for entry in entries]
    # What was there all the time is seen once.
    for number in range(1, 300, 2):
        equal(names.count(f"f{number:03}"), 1)


@case
def remove_while_reading(d):
    for number in range(500):
        save(f"{d}/f{number}", b"")
    for entry in os.scandir(d):
        os.unlink(entry.path)
    equal(os.listdir(d), [])


@case
def entry_kinds(d):
    os.mkdir(f"{d}/a")
    save(f"{d}/f", b"")
    equal({entry.name: entry.is_dir() for entry in os.scandir(d)}, {"a": True, "f": False})
    equal({entry.name: entry.inode() for entry in os.scandir(d)}, {n: os.stat(f"{d}/{n}").st_ino for n in ("a", "f")})


@case
def link_counts_of_directories(d):
    os.mkdir(f"{d}/a")
    expect(os.stat(f"{d}/a").st_nlink in (1, 2))


@case
def hard_link(d):
    save(f"{d}/a", b"x")
    os.link(f"{d}/a", f"{d}/b")
    equal(os.stat(f"{d}/b").st_nlink, 2)


@case
def symbolic_link(d):
    save(f"{d}/a", b"x")
    os.symlink("a", f"{d}/link")
    equal([os.readlink(f"{d}/link"), load(f"{d}/link")], ["a", b"x"])


@case
def read_link_of_file(d): fails(errno.EINVAL, os.readlink, save(f"{d}/f", b"x"))


@case
def fifo(d):
    os.mkfifo(f"{d}/p")
    expect(stat.S_ISFIFO(os.stat(f"{d}/p").st_mode))


@case
def device(d): os.mknod(f"{d}/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))


@case
def regular_by_mknod(d):
    os.mknod(f"{d}/f", stat.S_IFREG | 0o644)
    equal(os.stat(f"{d}/f").st_size, 0)


@case
def mode_is_kept(d):
    os.chmod(save(f"{d}/f", b"x"), 0o640)
    equal(stat.S_IMODE(os.stat(f"{d}/f").st_mode), 0o640)
    os.mkdir(f"{d}/a")
    os.chmod(f"{d}/a", 0o750)
    equal(stat.S_IMODE(os.stat(f"{d}/a").st_mode), 0o750)


@case
def mode_of_new_file(d):
    os.close(os.open(f"{d}/f", os.O_RDWR | os.O_CREAT, 0o600))
    equal(stat.S_IMODE(os.stat(f"{d}/f").st_mode), 0o600)


@case
def owner_unchanged(d):
    status = os.stat(save(f"{d}/f", b"x"))
    os.chown(f"{d}/f", -1, -1)
    os.chown(f"{d}/f", status.st_uid, status.st_gid)


@case
def owner_changed(d):
    os.chown(save(f"{d}/f", b"x"), 1234, 1234)
    equal(os.stat(f"{d}/f").st_uid, 1234)


@case
def time_is_kept(d):
    os.utime(save(f"{d}/f", b"x"), (1_000_000_000, 1_234_567_890))
    equal(os.stat(f"{d}/f").st_mtime, 1_234_567_890)


@case
def access_time_is_kept(d):
    os.utime(save(f"{d}/f", b"x"), (1_000_000_000, 1_234_567_890))
    equal(os.stat(f"{d}/f").st_atime, 1_000_000_000)


@case
def time_in_nanoseconds(d):
    os.utime(save(f"{d}/f", b"x"), ns=(1, 1_234_567_890_123_456_789))
    equal(os.stat(f"{d}/f").st_mtime_ns, 1_234_567_890_123_456_789)


UTIME_NOW, UTIME_OMIT = (1 << 30) - 1, (1 << 30) - 2


def set_times(path, access, modification):
    """utimensat(2) with nanoseconds that mean something else."""
    times = (ctypes.c_long * 4)(0, access, 0, modification)
    if LIBC.utimensat(-100, os.fsencode(path), times, 0) != 0:
        raise OSError(ctypes.get_errno(), "utimensat")


@case
def time_omitted(d):
    os.utime(save(f"{d}/f", b"x"), (1_000_000_000, 1_234_567_890))
    set_times(f"{d}/f", UTIME_NOW, UTIME_OMIT)
    equal(os.stat(f"{d}/f").st_mtime, 1_234_567_890)


@case
def time_now(d):
    os.utime(save(f"{d}/f", b"x"), (1_000_000_000, 1_234_567_890))
    set_times(f"{d}/f", UTIME_OMIT, UTIME_NOW)
    expect(os.stat(f"{d}/f").st_mtime > 1_600_000_000)


@case
def writing_changes_time(d):
    os.utime(save(f"{d}/f", b"x"), (1_000_000_000, 1_234_567_890))
    with open(f"{d}/f", "ab") as file:
        file.write(b"y")
    expect(os.stat(f"{d}/f").st_mtime > 1_600_000_000)


@case
def time_outlives_close(d):
    with open(f"{d}/f", "wb") as file:
        file.write(b"x")
        file.flush()
        os.utime(file.fileno(), (1_000_000_000, 1_234_567_890))
    equal(os.stat(f"{d}/f").st_mtime, 1_234_567_890)


@case
def access_rights(d):
    save(f"{d}/f", b"x")
    expect(os.access(f"{d}/f", os.R_OK | os.W_OK))
    expect(not os.access(f"{d}/none", os.F_OK))


@case
def space(d):
    space = os.statvfs(d)
    expect(space.f_bsize > 0 and space.f_blocks >= space.f_bfree >= space.f_bavail)
    equal(space.f_namemax, 255)


@case
def attribute_missing(d):
    save(f"{d}/f", b"x")
    try:
        os.getxattr(f"{d}/f", "user.test")
    except OSError as error:
        # Kernels before 6.6 have none for users on the memory disk.
        expect(error.errno in (errno.ENODATA, errno.EOPNOTSUPP), errno.errorcode[error.errno])


@case
def attributes_listed(d): equal([n for n in os.listxattr(save(f"{d}/f", b"x")) if n.startswith("user.test")], [])


@case
def inode_is_stable(d):
    number = os.stat(save(f"{d}/f", b"x")).st_ino
    save(f"{d}/f", b"other")
    os.rename(f"{d}/f", f"{d}/g")
    equal(os.stat(f"{d}/g").st_ino, number)


@case
def relative_to_descriptor(d):
    fd = os.open(d, os.O_RDONLY | os.O_DIRECTORY)
    os.mkdir("a", dir_fd=fd)
    os.close(os.open("a/f", os.O_RDWR | os.O_CREAT, dir_fd=fd))
    os.rename("a/f", "g", src_dir_fd=fd, dst_dir_fd=fd)
    equal(sorted(os.listdir(fd)), ["a", "g"])
    os.close(fd)


@case
def working_directory_is_renamed(d):
    os.mkdir(f"{d}/a")
    before = os.getcwd()
    try:
        os.chdir(f"{d}/a")
        os.rename(f"{d}/a", f"{d}/b")
        save("f", b"x")
        equal(os.path.basename(os.getcwd()), "b")
    finally:
        os.chdir(before)
    equal(load(f"{d}/b/f"), b"x")
