// kvd: the server's main. Reads the command line, starts a node (`Startup`) and ends with its exit code: 0 after an orderly
// stop, 1 when it could not start, 64 for a wrong command line, 74 when the disk failed.

import ArgumentParsing
import Posix

switch Options.command.parse(Array(CommandLine.arguments.dropFirst())) {
case .message(let text):
    print(text)
case .failure(let error):
    ProcessInformation.complain(error.text)
    ProcessInformation.end(usageExitCode)
case .run(let check, let values):
    switch check(values) {
    case .failure(let problem):
        ProcessInformation.complain("Error: \(problem.message)\n  See 'kvd --help' for more information.\n")
        ProcessInformation.end(usageExitCode)
    case .success(let options):
        var startup = Startup(options)
        ProcessInformation.end(startup.run())
    }
}
