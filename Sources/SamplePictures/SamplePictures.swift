import PictureDrawing
@main
struct SamplePictures { static func main() {} }
