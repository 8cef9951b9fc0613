// DistributedSnapshot: consistent pictures of the whole cluster by marker messages (Chandy and Lamport, 1985).
//
// Owns the identity of a snapshot, which every peer frame carries from the first day as its colour, so that the frame format
// does not change when the algorithm comes. The algorithm itself (markers, recordings of channels, assembly of the cut) is
// not built yet.
//
// It never does I/O and never looks into a node: it will be told of frames and records, and answer with what to send and
// what to keep.
//
// Start with `SnapshotID`.
