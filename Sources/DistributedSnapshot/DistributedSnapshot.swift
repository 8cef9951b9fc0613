// DistributedSnapshot: consistent pictures of the whole cluster by marker messages (Chandy and Lamport, 1985).
//
// What stands today is the identity that every peer frame carries from the first day, so that the frame format does not change
// when the algorithm comes. The algorithm itself (markers, recordings, cut assembly) is not built yet.
