import Node

extension Node: TurnHandler {}

/// The server as it runs in production.
package typealias NodeServer = Server<EpollBackend, Node>

extension Server where Backend == EpollBackend, Handler == Node {
    /// `run`, compiled for these very types: called from another module, a generic function would not be.
    package func runNode() -> ServerEnd { run() }
}
