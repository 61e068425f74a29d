#if canImport(Glibc)
    import Glibc
#else
    import Foundation
#endif

/// Memory that is taken when it is first needed and kept for the next image. Its contents do not outlive a `reserve`.
///
/// It holds an unsafe pointer because C code writes into it; it is owned by one object of one thread and so is not `Sendable`.
final class ScratchBuffer<Element: BitwiseCopyable> {
    private(set) var base: UnsafeMutablePointer<Element>
    private(set) var capacity = 0
    private var allocation: UnsafeMutableRawPointer?

    init() {
        base = UnsafeMutablePointer<Element>(bitPattern: MemoryLayout<Element>.alignment).unsafelyUnwrapped
    }

    deinit { free(allocation) }

    /// Makes room for `count` elements, zeroed when the memory is new.
    func reserve(_ count: Int) throws(InferenceError) {
        guard count > capacity else { return }
        release()
        guard let memory = calloc(count, MemoryLayout<Element>.stride) else {
            throw InferenceError(.internal, "out of memory: \(count * MemoryLayout<Element>.stride) bytes for an image")
        }
        allocation = memory
        base = memory.bindMemory(to: Element.self, capacity: count)
        capacity = count
    }

    /// Gives the memory back if there is more of it than `bytes`.
    func trim(above bytes: Int) {
        if capacity * MemoryLayout<Element>.stride > bytes { release() }
    }

    private func release() {
        free(allocation)
        allocation = nil
        capacity = 0
    }
}
