using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Output;

/// <summary>Writes the findings of <c>kcd doctor</c> while the checks run: a line for each, under the heading of its stage.</summary>
/// <param name="output">The destination of the lines.</param>
/// <param name="error">The destination of the progress on a terminal.</param>
/// <param name="isLive">Whether the lines are the result; otherwise only the progress is written.</param>
internal sealed class DoctorProgress(OutputStream output, OutputStream error, bool isLive)
{
    private DoctorStage? _stage;

    /// <summary>Gets whether the findings have been written.</summary>
    public bool IsLive => isLive;

    /// <summary>Receives the start of a check, and its finding.</summary>
    public void Report(DoctorCheck check, string subject, DoctorFinding? finding)
    {
        if (finding is null)
        {
            // On a terminal, the line is replaced when the check is complete.
            if (error.Width is { } width)
                error.Writer.Write($"\r{Fit($"... {check.Title} ({LabelledLines.ToPrintable(subject)})", width)}");
            return;
        }
        if (error.Width is { } columns)
            error.Writer.Write($"\r{new string(' ', columns - 1)}\r");
        if (!isLive)
            return;
        if (_stage != finding.Stage)
        {
            _stage = finding.Stage;
            DoctorText.WriteStage(output, finding.Stage);
        }
        DoctorText.WriteFinding(output, finding);
        output.Writer.Flush();
    }

    private static string Fit(string text, int width) =>
        text.Length < width ? text.PadRight(width - 1) : text[..Math.Max(0, width - 1)];
}
