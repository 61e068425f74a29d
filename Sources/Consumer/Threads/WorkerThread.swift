import CLinux
import Glibc

/// A real thread with a name and a stack of a set size, which is to be joined or detached. The worker's threads block in C
/// libraries and system calls, which would starve Swift's cooperative pool.
final class WorkerThread: Sendable {
    struct CannotStart: Error, CustomStringConvertible {
        let name: String
        let code: Int32
        var description: String { "cannot start thread \(name): \(String(cString: strerror(code)))" }
    }

    /// Carries the body over to the new thread, which takes the one reference there is.
    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    private let thread: pthread_t

    /// Starts the thread. `name` is cut to the kernel's 15 bytes; `stackBytes` is rounded up to whole pages.
    init(name: String, stackBytes: Int, _ body: @escaping @Sendable () -> Void) throws {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, (stackBytes + 4095) & ~4095)
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                kaption_name_thread(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        guard code == 0 else {
            start.release()
            throw CannotStart(name: name, code: code)
        }
        self.thread = thread
    }

    /// Waits for the thread's end. Either this or `detach`, once.
    func join() { pthread_join(thread, nil) }

    /// Nobody will join it: its stack goes when it ends.
    func detach() { pthread_detach(thread) }
}
