import CommandLineOptions
import Foundation
import Inference

/// `kaption-model inspect`: what is in a bundle.
enum InspectCommand: Subcommand {
    static let model = Option.required("model", .string, "DIR", help: "The bundle.")
    static let json = Option.flag("json", help: "One JSON object instead of a table.")

    static let command = Command(
        name: "inspect", abstract: "Shows a bundle's layers, shapes, parameters and multiply-adds.",
        discussion:
            "The bundle is checked whole, its digest included. Shapes are height×width×channels, for one image.",
        sections: [Section("Model", [model, json])],
        examples: [Example("Look at the model in the box", "kaption-model inspect --model Models/kaption-small")])

    static func run(_ options: ParsedOptions) throws -> ExitCode {
        let report = BundleReport(try ModelBundle.load(directory: options[model]))
        print(options[json] ? try report.json() : report.text())
        return .done
    }
}
