// Asking for memory before it is needed. Changes nothing but how long the next access waits.
#ifndef CORACLE_PREFETCH_H
#define CORACLE_PREFETCH_H

/// Asks the processor for the cache line at an address, which need not be readable.
static inline void coracle_prefetch(const void *address) { __builtin_prefetch(address); }

#endif
