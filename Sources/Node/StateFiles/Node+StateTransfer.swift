import Base
import Consensus
import Database
import Storage

/// State files on their way from node to node (paper, section 7): a node that is so far behind that the leader has no entries for it
/// any more asks for the leader's state file, piece by piece. It asks for the next pieces as earlier ones come, so that no
/// more than a few are on the link, between which heartbeats and entries pass; and it goes on where it was when the link was lost.
extension Node {
    // MARK: the one that sends

    func takeStateFileRequest(_ payload: ByteView, from peer: NodeID, on link: PeerLink) {
        let served = files.serving.count { $0.link == link.id }
        guard let request = StateFileRequest(payload), served < Node.servedPiecesMax else {
            log(.warning, "closed the link with node \(peer): a request for a state file is malformed, or one too many")
            return closeLink(link)
        }
        if request.count == 0 { return stateFileIsDamaged(request.fileID, says: peer) }
        let found = files.files.last { request.fileID == 0 ? $0.index >= request.index : $0.fileID == request.fileID }
        guard let file = found, request.offset < file.byteCount else {
            // Not there (any more). The leader says what there is when it is asked again.
            return sendPiece(StateFilePiece(fileID: 0, byteCount: 0, offset: 0), .empty, to: peer, on: link)
        }
        let count = min(request.count, file.byteCount - request.offset)
        files.servedIndex = file.index
        files.servedUntil = now.instant + options.stateFiles.retryDelay
        let number = log.emit(.read(name: file.name, offset: request.offset, count: count), into: &effects.disk)
        files.serving.append(
            OutgoingPiece(
                operation: number, link: link.id, file: file.name,
                piece: StateFilePiece(fileID: file.fileID, byteCount: file.byteCount, offset: request.offset)))
    }

    private static let servedPiecesMax = 16

    /// Takes the bytes of a read; false when it was not for a state file.
    func stateFileRead(_ number: UInt64, _ bytes: ByteView) -> Bool {
        guard let position = files.serving.firstIndex(where: { $0.operation == number }) else { return false }
        files.serving[position].bytes = bytes.array
        isTurnWanted = true
        // In the order in which they were asked for: a link's pieces arrive in order.
        while let first = files.serving.first, let content = first.bytes {
            files.serving.removeFirst()
            guard let link = links[first.link.rawValue], link.isOpen, let peer = link.peer else { continue }
            content.withView { sendPiece(first.piece, $0, to: peer, on: link) }
        }
        return true
    }

    private func sendPiece(_ piece: StateFilePiece, _ bytes: ByteView, to peer: NodeID, on link: PeerLink) {
        let start = beginFrame(.stateFilePiece, to: peer, on: link)
        piece.encode(into: link.output)
        link.output.append(bytes)
        endFrame(start, on: link)
    }

    /// Another node could not use a file of this one: there must soon be a newer one.
    private func stateFileIsDamaged(_ fileID: UInt64, says peer: NodeID) {
        guard let position = files.files.firstIndex(where: { $0.fileID == fileID }) else { return }
        log(.error, "node \(peer) says that \(files.files[position].name) is damaged")
        noteDamage(to: files.files[position])
    }

    /// A state file can't be used: another one takes its place as soon as there is anything new.
    func noteDamage(to file: StateFile) {
        files.files.removeAll { $0 == file }
        files.unusable.append(file.name)
        files.isWanted = true
        isTurnWanted = true
    }

    // MARK: the one that fetches

    /// The leader has a state file for this node, which is further behind than the log reaches.
    func fetchStateFile(_ install: RaftEffects.Install) {
        if let fetching = files.fetching {
            // Any node's file will do, as long as it covers enough and its node can be reached.
            let isEnough = (fetching.coveredIndex ?? fetching.index) >= install.index
            if isEnough && (fetching.isWhole || fetching.from == install.from || openLink(to: fetching.from) != nil) { return }
            endFetching()
        }
        if now.instant < files.retryAt { return group.raft.installFailed(index: install.index) }
        log(.info, "fetches a state file of node \(install.from): the log there begins behind entry \(install.index)")
        files.fetching = IncomingStateFile(
            from: install.from, index: install.index, clusterID: options.clusterID, began: now.instant)
        isTurnWanted = true
    }

    /// Asks for more, writes what came, and installs what is whole.
    func continueFetching() {
        guard let fetching = files.fetching else { return }
        if let covered = fetching.coveredIndex, covered <= group.raft.commitIndex, fetching.publication == nil {
            // Entries came after all, and further.
            log(.info, "needs no state file any more")
            return endFetching()
        }
        if fetching.isWhole { return publishFetched(fetching) }
        guard let link = openLink(to: fetching.from) else { return }
        if fetching.link != link.id {
            fetching.link = link.id
            fetching.requested = fetching.received
        }
        // The first piece tells which file it is, and how long.
        let limit = fetching.fileID == 0 ? options.stateFiles.pieceBytes : fetching.byteCount
        let window = options.stateFiles.pieceBytes * options.stateFiles.piecesMax
        while fetching.requested < limit, fetching.requested - fetching.received < window,
            fetching.underWay.count <= options.stateFiles.operationsMax
        {
            ask(
                StateFileRequest(
                    fileID: fetching.fileID, index: fetching.index, offset: fetching.requested,
                    count: options.stateFiles.pieceBytes), of: fetching.from, link)
            fetching.requested += options.stateFiles.pieceBytes
        }
    }

    private func ask(_ request: StateFileRequest, of peer: NodeID, _ link: PeerLink) {
        let start = beginFrame(.stateFileRequest, to: peer, on: link)
        request.encode(into: link.output)
        endFrame(start, on: link)
    }

    func takeStateFilePiece(_ payload: ByteView, from peer: NodeID, on link: PeerLink) {
        var reader = ByteReader(payload)
        guard let piece = StateFilePiece(&reader), piece.offset + reader.remaining <= piece.byteCount || piece.fileID == 0 else {
            log(.warning, "closed the link with node \(peer): a piece of a state file is malformed")
            return closeLink(link)
        }
        guard let fetching = files.fetching, fetching.from == peer, fetching.link == link.id, !fetching.isWhole else { return }
        isTurnWanted = true
        if piece.fileID == 0 { return fetchFailed("node \(peer) has not got it any more", retries: true) }
        // What was asked for on behalf of an earlier attempt.
        guard piece.fileID == fetching.fileID || fetching.fileID == 0, piece.offset == fetching.received else { return }
        do throws(StorageError) {
            try fetching.take(piece, payload.dropFirst(reader.offset)) { header throws(StorageError) in
                try writer(for: header, of: fetching)
            }
        } catch {
            ask(StateFileRequest(fileID: fetching.fileID, index: fetching.index, offset: 0, count: 0), of: peer, link)
            return fetchFailed("\(error)", retries: false)
        }
        fetching.underWay += emit(fetching.takeOperations())
    }

    private func writer(for header: StateFileHeader, of fetching: IncomingStateFile) throws(StorageError) -> StateFileWriter {
        guard header.group == group.id, header.nodeID == fetching.from, header.index >= fetching.index,
            header.term <= group.raft.term
        else {
            throw .wrongIdentity(
                file: "the state file of node \(fetching.from)",
                reason:
                    "it is of node \(header.nodeID), group \(header.group), and ends with entry \(header.index) of term \(header.term)"
            )
        }
        let own = stateFileHeader(
            index: header.index, term: header.term, time: header.time, configuration: header.configuration)
        return StateFileWriter(
            name: StateFileFormat.fileName(group: group.id, index: header.index), header: own,
            chunkBytes: options.stateFiles.chunkBytes)
    }

    private func publishFetched(_ fetching: IncomingStateFile) {
        if fetching.publication != nil { return }
        guard let writer = fetching.writer else { return check(false, "a whole file was written") }
        // One file is written under a name at a time.
        if files.writing != nil { abandonForInstall() }
        let number = log.emit(writer.publish, into: &effects.disk)
        fetching.publication = number
        fetching.underWay.append(number)
    }

    /// Takes the end of a disk operation; false when it was not for the file that is fetched.
    func fetchStepDone(_ number: UInt64) -> Bool {
        guard let fetching = files.fetching, let position = fetching.underWay.firstIndex(of: number) else { return false }
        fetching.underWay.remove(at: position)
        if fetching.publication == number { install(fetching) }
        isTurnWanted = true
        return true
    }

    func fetchRefused(_ number: UInt64, _ reason: String) {
        guard let fetching = files.fetching, fetching.underWay.contains(number) else { return }
        fetchFailed(reason, retries: false)
    }

    private func fetchFailed(_ reason: String, retries: Bool) {
        guard let fetching = files.fetching else { return }
        log(retries ? .info : .error, "can't use the state file of node \(fetching.from): \(reason)")
        endFetching()
        if !retries { files.retryAt = now.instant + options.stateFiles.retryDelay }
        group.raft.installFailed(index: fetching.index)
    }

    /// Gives up the file that is fetched.
    private func endFetching() {
        guard let fetching = files.fetching else { return }
        files.fetching = nil
        if let writer = fetching.writer { files.toDiscard.append(writer.name) }
    }
}
