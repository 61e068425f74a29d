import Foundation
import PictureDrawing

/// The storage folder of one run: small pictures drawn for it, which faults hide and spoil.
struct PictureStore: Sendable {
    /// Small pictures cost a worker less to decode; encoding and captioning cost the same for every size.
    private static let sizes = [(width: 96, height: 72), (width: 160, height: 120)]
    static let names = SampleScene.allCases.flatMap { scene in
        sizes.map { "\(scene.rawValue)-\($0.width).jpg" }
    }
    static var count: Int { names.count }
    /// A file that only the real storage has (`--storage-sentinel`).
    static let sentinel = ".kaption-storage"

    /// What workers are given as `--storage`.
    let folder: URL
    private let hidden: URL
    private let good: URL

    init(in parent: URL) throws {
        folder = parent.appendingPathComponent("storage")
        hidden = parent.appendingPathComponent("storage-hidden")
        good = parent.appendingPathComponent("pictures")
        for folder in [folder, good] {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        for scene in SampleScene.allCases {
            for size in Self.sizes {
                let picture = scene.draw(width: size.width, height: size.height)
                try JPEGFile().write(picture).write(
                    to: good.appendingPathComponent("\(scene.rawValue)-\(size.width).jpg"))
            }
        }
        for name in Self.names { try restore(name) }
        try Data("pictures of a run\n".utf8).write(to: folder.appendingPathComponent(Self.sentinel))
    }

    /// An empty folder takes the storage's place; or all that is in the storage is moved away, the sentinel first.
    func hide(wholeFolder: Bool) throws {
        if wholeFolder {
            try move(folder, to: hidden)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        } else {
            try FileManager.default.createDirectory(at: hidden, withIntermediateDirectories: false)
            for name in [Self.sentinel] + Self.names {
                try move(folder.appendingPathComponent(name), to: hidden.appendingPathComponent(name))
            }
        }
    }

    /// Undoes `hide`; the sentinel comes last.
    func reveal(wholeFolder: Bool) throws {
        if wholeFolder {
            try FileManager.default.removeItem(at: folder)
            try move(hidden, to: folder)
        } else {
            for name in Self.names + [Self.sentinel] {
                try move(hidden.appendingPathComponent(name), to: folder.appendingPathComponent(name))
            }
            try FileManager.default.removeItem(at: hidden)
        }
    }

    /// Garbage in place of a picture, all at once, as an upload that ends with a rename.
    func spoil(_ name: String) throws {
        try put(Data((0..<700).map { UInt8(truncatingIfNeeded: $0 &* 37) }), at: name)
    }

    func restore(_ name: String) throws { try put(Data(contentsOf: good.appendingPathComponent(name)), at: name) }

    private func put(_ data: Data, at name: String) throws {
        let unfinished = folder.deletingLastPathComponent().appendingPathComponent("unfinished")
        try data.write(to: unfinished)
        try move(unfinished, to: folder.appendingPathComponent(name))
    }

    private func move(_ source: URL, to target: URL) throws {
        if rename(source.path, target.path) != 0 {
            throw HarnessError("cannot move \(source.path): \(String(cString: strerror(errno)))")
        }
    }
}

/// Why the harness itself cannot go on.
struct HarnessError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
