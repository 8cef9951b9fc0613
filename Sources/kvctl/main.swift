// kvctl: the operator's tool.
//
// Owns a local cluster (starts `kvd` processes, stops them, breaks them on request), shows what the nodes say of
// themselves, sends single Redis commands, measures servers under load, and reads the log of a stopped node.
//
// It never touches a node's data, except to read a stopped node's log, and never needs a running cluster for its
// help. Results go to standard output, problems to standard error; the exit code is 0, 1 (the operation failed) or 64
// (called wrongly).
//
// Start with `Tool`, which declares all commands; each has its file in Commands/. Cluster/ runs processes, Net/ talks
// to servers, Status/ prints tables, Bench/ is the load generator.

import ArgumentParsing
import Glibc

// A reader that went away (`kvctl keys '*' | head`) is an error to report, not a signal to die from.
signal(SIGPIPE, SIG_IGN)

switch Tool.command.parse(Array(CommandLine.arguments.dropFirst())) {
case .message(let text): Console.output(text)
case .failure(let error):
    Console.error(error.text)
    exit(usageExitCode)
case .run(let action, let values):
    do throws(Failure) {
        exit(try action.run(values))
    } catch {
        Console.error("Error: \(error.message)\n")
        exit(error.exitCode)
    }
}
