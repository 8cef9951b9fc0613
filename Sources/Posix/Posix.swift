// Posix: the only I/O of the server.
//
// Owns the event loop and its sockets, the disk (data directory, log writes, the threads for what is slow), the clocks,
// entropy, signals, resource limits and the operator's log on stderr. It drives a `Node`, which does none of that:
// `Server` turns what the kernel reports into `NodeEvent`s and carries out `NodeEffects`.
//
// It never decides anything about the protocol, consensus or data. Where the kernel refuses, it says so in one line and
// in words that tell the operator what to do; a disk that failed once is the end of the process (DESIGN, rule 3).
//
// Threads: one loop thread runs `Server`, `Node` and, on fast disks, the log write at the end of each turn. `WorkerThread`s
// do the rest: one carries out ordered disk steps that block, one makes and reads files, one resolves names. They exchange
// bounded mailboxes and an eventfd.
//
// Start with `Server` (what a turn is), then `NetworkBackend` and `EpollBackend` (sockets), then `DiskQueue` (the order of
// disk work) and `DataDirectory` (what lies where).
