// ArgumentParsing: command lines, declared instead of parsed by hand.
//
// Owns the description of a tool (commands with subcommands, options, flags and arguments), the parsing of words
// against it, the help texts made from it, and the wording of usage errors with suggestions for typing errors.
//
// It never prints, never exits and never reads the environment: `ToolCommand.parse` turns words into an
// `Invocation`, and the program's main does what it says. So everything here can be tested as plain values.
//
// A tool is declared with values:
//
//     let port = Option("port", default: 7001, help: "Port for clients.")
//     let quiet = Flag("quiet", short: "q", help: "Say nothing.")
//     let tool = ToolCommand("serve", abstract: "Serves.", version: "1.0", declares: [port, quiet], action: serve)
//     switch tool.parse(words) {
//     case .run(let action, let values): action(values[port], values[quiet])   // an Int and a Bool
//     case .message(let text): …       // --help, --version: standard output, exit code 0
//     case .failure(let error): …      // error.text: standard error, exit code 64
//     }
//
// Start with `ToolCommand`; `Declarations` has the kinds of things that can be declared.

/// Exit code of a program that was called wrongly (EX_USAGE of sysexits.h).
package let usageExitCode: Int32 = 64
