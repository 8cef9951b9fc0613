// DistributedSnapshot: consistent pictures of the whole cluster by marker messages (Chandy and Lamport, 1985).
//
// Owns the algorithm for one node: when to record the local state, which markers to send on which channel before anything else,
// which frames belong to the state of a channel, when a part is whole, and, on the initiator, what the cut is worth: complete,
// partial or aborted. Any number of snapshots may overlap, from several initiators; channels may be reset and nodes may crash in
// the middle of it (docs/internals/distributed-snapshots.md; docs/decisions/0004-snapshot-colours.md says where the paper's rules
// are not enough).
//
// It never does I/O, reads no clock, draws no random number and never looks into a frame or a node's state: it is told of frames,
// links, times and finished records, and answers with effects in order.
//
// Start with `SnapshotParticipant` (one node), then `SnapshotEffect` (what it asks for), `SnapshotMessage` (what the nodes tell each
// other) and `SnapshotManifest` (what the initiator makes of the parts).
