// System headers that `import Glibc` leaves out, and the constants that are macros the importer can't read.
// Header-only: this module must never contain code that does anything.
#ifndef CORACLE_CLINUX_SHIM_H
#define CORACLE_CLINUX_SHIM_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/// O_DIRECT as the platform defines it (it differs by architecture).
static inline int coracle_o_direct(void) { return __O_DIRECT; }

#endif
