// Storage: a node's write-ahead log as pure code.
//
// Owns the format of the log's segments and of the identity file (docs/internals/log-format.md), the rules by which a
// log is written (one frame at a time, each durable before the next), recovered (a torn tail is cut off, damage in the
// middle is refused) and read back, and the inspector behind `kvctl log inspect`.
//
// It never does I/O: `WriteAheadLog` emits `DiskOperation`s, numbered and in order, and is told when each is durable; at
// start-up it reads files through a `RecoverySource`. So the same code runs on a real disk and on the simulated one
// that loses unsynced writes and tears others.
//
// It knows nothing of elections or commands. An entry's payload is opaque; a group's log is "entries by index, where a
// lower index replaces everything from there on" (Raft's rule), and the hard state lies in the same ordered stream.
//
// Start with `WriteAheadLog` (append, flush, completed), then `LogFormat` (what a segment, a frame and a record look
// like), then `WriteAheadLog+Recovery`. `DiskOperation` is the contract with the drivers.
