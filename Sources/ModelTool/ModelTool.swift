import CommandLineOptions
import Foundation
import Inference

/// `kaption-model`: everything that is done to models. Each subcommand has a file of its own.
@main
struct ModelTool {
    static var subcommands: [any Subcommand.Type] {
        [
            ImportCommand.self, InspectCommand.self, QuantizeCommand.self, EncodeCommand.self, CaptionCommand.self,
            EvaluateCommand.self, TrainCommand.self,
        ]
    }

    static let command = Command(
        name: "kaption-model", abstract: "Imports, inspects, quantizes, tries, evaluates and trains models.",
        discussion: "A model is a folder, a bundle: model.json, weights.safetensors and vocabulary.txt.",
        examples: subcommands.flatMap { $0.command.examples.prefix(1) },
        subcommands: subcommands.map { $0.command })

    static func main() {
        let options = command.parseOrExit()
        guard let chosen = subcommands.first(where: { $0.command.name == options.subcommand }) else {
            preconditionFailure("the parser chose a command that does not exist")
        }
        do {
            try chosen.run(options).exit()
        } catch {
            FileHandle.standardError.write(Data("kaption-model \(chosen.command.name): \(error)\n".utf8))
            exitCode(for: error).exit()
        }
    }

    static func exitCode(for error: any Error) -> ExitCode {
        switch error {
        case is ModelError: .model
        case is UsageError: .usage
        default: .failed
        }
    }
}

/// One of the tool's commands.
protocol Subcommand {
    static var command: Command { get }
    /// Does it; errors are printed by the caller.
    static func run(_ options: ParsedOptions) throws -> ExitCode
}
