import Base
import Database
import RESP
import Storage

/// SAVE, BGSAVE and LASTSAVE, in terms of this node's state files. Nothing depends on them: every acknowledged write is in the log.
/// What they are good for is a shorter log, and so a quicker start.
extension Node {
    /// Answers when a state file of everything applied by now is durable. Only this connection waits.
    func save(_ connection: ClientConnection) {
        if files.writing != nil || files.isWanted { return replyError(connection, "ERR Background save already in progress") }
        if group.machine.appliedIndex <= files.newest?.index ?? .zero {
            files.savedAt = now.wall
            return connection.writer.ok()
        }
        connection.isSaving = true
        files.waitingForSave.append(connection.id)
        wantStateFile()
    }

    /// Begins a state file.
    func backgroundSave(_ connection: ClientConnection) {
        let isScheduled = arguments.count == 2 && arguments[1].equalsIgnoringCase("schedule")
        if arguments.count > 2 || (arguments.count == 2 && !isScheduled) { return replyError(connection, "ERR syntax error") }
        if files.writing != nil || files.isWanted {
            if !isScheduled { return replyError(connection, "ERR Background save already in progress") }
            files.isWanted = true
            return reply("Background saving scheduled", to: connection)
        }
        beginStateFile()
        connection.writer.simple("Background saving started")
    }

    /// BGREWRITEAOF: what shortens a log here is a state file.
    func rewriteLog(_ connection: ClientConnection) {
        if files.writing != nil || files.isWanted {
            files.isWanted = true
            return connection.writer.simple("Background append only file rewriting scheduled")
        }
        beginStateFile()
        connection.writer.simple("Background append only file rewriting started")
    }

    /// Begins a state file, where there is something that the newest one does not have.
    private func beginStateFile() {
        if group.machine.appliedIndex > files.newest?.index ?? .zero { wantStateFile() } else { files.savedAt = now.wall }
    }

    private func wantStateFile() {
        files.isWanted = true
        // Somebody asks for it: not only after the pause that follows a failure.
        files.retryAt = now.instant
        isTurnWanted = true
    }

    /// When the newest state file was written, in seconds since 1970; when the node was started, if there is none.
    func lastSave(_ connection: ClientConnection) { connection.writer.integer(lastSaveSeconds) }

    var lastSaveSeconds: Int64 { files.savedAt.milliseconds / 1000 }

    func saved(_ took: Nanoseconds) {
        files.savedAt = now.wall
        files.lastSucceeded = true
        files.lastDuration = took
        files.saves += 1
        answerSave { $0.writer.ok() }
    }

    func saveFailed(_ reason: String) {
        files.lastSucceeded = false
        answerSave { replyError($0, "ERR the state file could not be written: \(reason)") }
    }

    func answerSave(_ body: (ClientConnection) -> Void) {
        let waiting = files.waitingForSave
        files.waitingForSave.removeAll()
        for id in waiting {
            guard let connection = clients[id.rawValue] else { continue }
            body(connection)
            connection.isSaving = false
            noteOwed(connection)
            answered(connection)
            resumeWhenIdle(connection)
        }
    }

    var persistenceFields: [(String, String)] {
        let current = files.writing.map { Int64((now.instant - $0.began).rawValue / 1_000_000_000) } ?? -1
        let last = files.lastDuration.map { Int64($0.rawValue / 1_000_000_000) } ?? -1
        let done = files.writing.map { ($0.record.keysDone, $0.record.keysTotal) } ?? (0, 0)
        return [
            ("loading", "0"), ("async_loading", "0"), ("current_cow_peak", "0"),
            ("current_cow_size", "\(files.writing?.record.pendingBytes ?? 0)"),
            ("current_save_keys_processed", "\(done.0)"), ("current_save_keys_total", "\(done.1)"),
            ("rdb_changes_since_last_save", "\(group.machine.changes - min(files.changesAtSave, group.machine.changes))"),
            ("rdb_bgsave_in_progress", files.writing == nil ? "0" : "1"), ("rdb_last_save_time", "\(lastSaveSeconds)"),
            ("rdb_last_bgsave_status", files.lastSucceeded ? "ok" : "err"), ("rdb_last_bgsave_time_sec", "\(last)"),
            ("rdb_current_bgsave_time_sec", "\(current)"), ("rdb_saves", "\(files.saves)"), ("aof_enabled", "1"),
            ("aof_rewrite_in_progress", "0"), ("aof_rewrite_scheduled", "0"), ("aof_last_bgrewrite_status", "ok"),
            ("aof_last_write_status", "ok"), ("aof_current_size", "\(log.diskBytes)"), ("aof_pending_bio_fsync", "0"),
            ("aof_delayed_fsync", "0"), ("state_file_bytes", "\(files.newest?.byteCount ?? 0)"),
            ("state_file_index", "\(files.newest?.index ?? .zero)"), ("log_first_index", "\(group.raft.log.baseIndex.next)"),
            ("state_files_installed", "\(statistics.stateFilesInstalled)"),
        ]
    }
}
