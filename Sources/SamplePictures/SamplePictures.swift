import CommandLineOptions
import Foundation
import PictureDrawing

/// `SamplePictures`: draws a few pictures of our own into a folder, for trials.
@main
struct SamplePictures {
    static func main() {
        let options = Flags.command.parseOrExit()
        let folder = URL(fileURLWithPath: options.positionals[0], isDirectory: true)
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for scene in SampleScene.allCases {
                let picture = scene.draw(width: options[Flags.width], height: options[Flags.height])
                let (name, file) = try encode(scene, picture)
                try file.write(to: folder.appendingPathComponent(name), options: .atomic)
                print(name)
            }
        } catch {
            FileHandle.standardError.write(Data("SamplePictures: \(error.localizedDescription)\n".utf8))
            ExitCode.failed.exit()
        }
    }

    /// Mostly ordinary JPEGs, and one file each of the less ordinary kinds.
    private static func encode(_ scene: SampleScene, _ picture: Picture) throws -> (name: String, file: Data) {
        switch scene {
        case .ballOnGrass: (scene.rawValue + ".png", try PNGFile().write(picture))
        case .mountainLake: (scene.rawValue + ".jpg", try JPEGFile(isProgressive: true).write(picture))
        default: (scene.rawValue + ".jpg", try JPEGFile().write(picture))
        }
    }
}

enum Flags {
    static let width = Option.defaulted(
        "width", .integer(16...4096), "PIXELS", default: "500", help: "Width of the pictures.")
    static let height = Option.defaulted(
        "height", .integer(16...4096), "PIXELS", default: "375", help: "Height of the pictures.")

    static let command = Command(
        name: "SamplePictures",
        abstract: "Draws simple pictures (a dog on grass, a beach, a car, …) as JPEG and PNG files.",
        sections: [Section("Size", [width, height])],
        positionals: Positionals("DIR", count: 1...1, help: "Folder to write to; it is made if it is not there."),
        examples: [Example("Pictures to try the worker with", "SamplePictures pictures")])
}
