@main
struct SamplePictures {
    static func main() {}
}
