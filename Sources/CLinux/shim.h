// What `import Glibc` leaves out: system headers that its module map lacks, declarations behind _GNU_SOURCE, and constants
// that are macros the importer can't read. Header-only: this module must never contain code that does anything but call
// the system.
//
// _GNU_SOURCE is not defined here on purpose: Glibc's own module is built without it, and two definitions of one structure
// in one program are refused by the compiler.
#ifndef CORACLE_CLINUX_SHIM_H
#define CORACLE_CLINUX_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

// Declared by glibc only under _GNU_SOURCE, or there with a transparent union that Swift can't pass.
extern int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);
extern int fallocate(int file, int mode, off_t offset, off_t length);
extern int pthread_setname_np(pthread_t thread, const char *name);

/// O_DIRECT as the platform defines it (it differs by architecture).
static inline int coracle_o_direct(void) { return __O_DIRECT; }

/// errno, which is a macro.
static inline int coracle_errno(void) { return errno; }

/// Waits for events with a timeout in nanoseconds (Linux 5.11); a negative one waits for ever.
/// Where the kernel or a container's filter has no such call it fails with ENOSYS or EPERM.
static inline int coracle_epoll_wait_nanoseconds(int epoll, struct epoll_event *events, int count, long long timeout) {
#ifdef SYS_epoll_pwait2
    struct timespec limit = {.tv_sec = timeout / 1000000000, .tv_nsec = timeout % 1000000000};
    return (int)syscall(SYS_epoll_pwait2, epoll, events, count, timeout < 0 ? (struct timespec *)0 : &limit, (void *)0, (size_t)0);
#else
    (void)epoll, (void)events, (void)count, (void)timeout;
    errno = ENOSYS;
    return -1;
#endif
}

// Bits and flags as plain numbers: the importer makes enumerations of some and loses others.
static inline uint32_t coracle_epollin(void) { return EPOLLIN; }
static inline uint32_t coracle_epollout(void) { return EPOLLOUT; }
static inline uint32_t coracle_epollerr(void) { return EPOLLERR; }
static inline uint32_t coracle_epollhup(void) { return EPOLLHUP; }
static inline uint32_t coracle_epollrdhup(void) { return EPOLLRDHUP; }
static inline uint32_t coracle_epollet(void) { return EPOLLET; }
static inline int coracle_epoll_cloexec(void) { return EPOLL_CLOEXEC; }
static inline int coracle_eventfd_cloexec(void) { return EFD_CLOEXEC; }
static inline int coracle_eventfd_nonblock(void) { return EFD_NONBLOCK; }
static inline int coracle_signalfd_flags(void) { return SFD_CLOEXEC | SFD_NONBLOCK; }
static inline int coracle_socket_flags(void) { return SOCK_NONBLOCK | SOCK_CLOEXEC; }
static inline int coracle_sock_stream(void) { return SOCK_STREAM; }
static inline int coracle_msg_nosignal(void) { return MSG_NOSIGNAL; }
static inline int coracle_shut_wr(void) { return SHUT_WR; }
static inline int coracle_ipproto_tcp(void) { return IPPROTO_TCP; }
static inline int coracle_ipproto_ipv6(void) { return IPPROTO_IPV6; }

/// Descriptors that this process may have: the soft limit after it was raised, as far as allowed, to `wanted`.
static inline long long coracle_raise_descriptor_limit(long long wanted) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
    if (limit.rlim_cur != RLIM_INFINITY && (long long)limit.rlim_cur < wanted) {
        struct rlimit raised = limit;
        raised.rlim_cur = (rlim_t)wanted;
        if (raised.rlim_max != RLIM_INFINITY && raised.rlim_max < raised.rlim_cur) raised.rlim_max = raised.rlim_cur;
        // Above the hard limit only where permitted; up to it otherwise.
        if (setrlimit(RLIMIT_NOFILE, &raised) != 0) {
            raised.rlim_max = limit.rlim_max;
            raised.rlim_cur = limit.rlim_max < (rlim_t)wanted ? limit.rlim_max : (rlim_t)wanted;
            setrlimit(RLIMIT_NOFILE, &raised);
        }
        if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
    }
    return limit.rlim_cur == RLIM_INFINITY ? (long long)1 << 40 : (long long)limit.rlim_cur;
}

// Kernel AIO (io_submit(2)): a direct write that the caller does not wait for. Where it does not exist, or a filter forbids it,
// the setup fails and nothing else is called.

/// Makes a context for `count` requests. 0, or -1 with errno.
static inline int coracle_aio_setup(unsigned count, aio_context_t *context) {
    return (int)syscall(SYS_io_setup, count, context);
}

/// Ends a context; what is under way is waited for.
static inline int coracle_aio_destroy(aio_context_t context) { return (int)syscall(SYS_io_destroy, context); }

/// Begins one write, whose end adds one to the eventfd `notifier`. 1, or -1 with errno.
static inline int coracle_aio_write(
    aio_context_t context, int file, const void *bytes, size_t count, long long offset, int notifier) {
    struct iocb request = {0}, *requests = &request;
    request.aio_fildes = (unsigned)file;
    request.aio_lio_opcode = IOCB_CMD_PWRITE;
    request.aio_buf = (unsigned long long)(uintptr_t)bytes;
    request.aio_nbytes = count;
    request.aio_offset = offset;
    request.aio_flags = IOCB_FLAG_RESFD;
    request.aio_resfd = (unsigned)notifier;
    return (int)syscall(SYS_io_submit, context, 1L, &requests);
}

/// Whether a request has ended, seen without a system call: a context is the address of the ring that the kernel fills.
static inline int coracle_aio_has_ended(aio_context_t context) {
    // id, nr, head, tail, magic, ...: part of the kernel's interface, told by the magic number.
    const unsigned *ring = (const unsigned *)(uintptr_t)context;
    if (ring[4] != 0xa10a10a1) return 1;
    return __atomic_load_n(&ring[2], __ATOMIC_ACQUIRE) != __atomic_load_n(&ring[3], __ATOMIC_ACQUIRE);
}

/// Takes the result of one request that has ended: 1 and its result, 0 when none has, -1 with errno. Waits for one if `waits`.
static inline int coracle_aio_take(aio_context_t context, int waits, long long *result) {
    struct io_event event;
    struct timespec none = {0, 0};
    int count = (int)syscall(SYS_io_getevents, context, waits ? 1L : 0L, 1L, &event, waits ? (struct timespec *)0 : &none);
    if (count == 1) *result = event.res;
    return count;
}

/// Resources used by this process.
static inline int coracle_getrusage_self(struct rusage *usage) { return getrusage(RUSAGE_SELF, usage); }

/// Ignores a signal.
static inline void coracle_ignore_signal(int number) { signal(number, SIG_IGN); }

#endif
