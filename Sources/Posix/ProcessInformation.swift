import CLinux
import Glibc
import Node

/// What the operating system knows of this process and machine.
package enum ProcessInformation {
    /// This process's number.
    package static var processID: Int32 { getpid() }

    /// Path of the program that runs.
    package static var executable: String {
        var path = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &path, path.count)
        return String(decoding: path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Name, release and machine, as `uname -srm` has them.
    package static var operatingSystem: String {
        var name = utsname()
        if uname(&name) != 0 { return "Linux" }
        func text(_ field: some Any) -> String {
            withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        return "\(text(name.sysname)) \(text(name.release)) \(text(name.machine))"
    }

    /// Fills in memory and processor time. A few system calls: about once a second is often enough.
    package static func update(_ statistics: DriverStatistics) {
        let page = sysconf(Int32(_SC_PAGESIZE))
        statistics.systemMemoryBytes = sysconf(Int32(_SC_PHYS_PAGES)) * page
        statistics.residentBytes = residentPages() * page
        var usage = rusage()
        if coracle_getrusage_self(&usage) != 0 { return }
        statistics.userCPUMicroseconds = UInt64(usage.ru_utime.tv_sec) * 1_000_000 + UInt64(usage.ru_utime.tv_usec)
        statistics.systemCPUMicroseconds = UInt64(usage.ru_stime.tv_sec) * 1_000_000 + UInt64(usage.ru_stime.tv_usec)
    }

    /// The second number of /proc/self/statm (proc(5)); 0 where there is no such file.
    private static func residentPages() -> Int {
        let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        if file < 0 { return 0 }
        defer { close(file) }
        var text = [UInt8](repeating: 0, count: 256)
        let count = read(file, &text, text.count)
        let fields = text.prefix(max(0, count)).split(separator: 0x20)
        return fields.count > 1 ? Int(String(decoding: fields[1], as: UTF8.self)) ?? 0 : 0
    }

    /// Ends the process at once.
    package static func end(_ code: Int32) -> Never { exit(code) }

    /// Writes to standard error.
    package static func complain(_ text: String) {
        var text = text
        text.withUTF8 { bytes in _ = write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
    }
}
