using System.Globalization;
using System.Text.Json;
using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.Kerberos.Names;
using KcdDelegation.Tool.Settings;

namespace KcdDelegation.Tool.Output;

/// <summary>A report of <c>kcd doctor --json</c> that was written earlier or on another host.</summary>
/// <param name="Path">The path of the file.</param>
/// <param name="StartedAt">The start of the run.</param>
/// <param name="Findings">The findings in the order of the report.</param>
/// <param name="Settings">The settings in effect.</param>
internal sealed record EarlierReport(
    string Path, DateTimeOffset StartedAt, IReadOnlyList<EarlierFinding> Findings, IReadOnlyList<SettingsDigestLine> Settings)
{
    private const int MaxSize = 8 * 1024 * 1024;
    private const int MaxDepth = 16;

    private static readonly string[] Verdicts = [.. Enum.GetValues<DoctorVerdict>().Select(verdict => DoctorJson.GetName(verdict))];

    /// <summary>Reads the report.</summary>
    /// <param name="option">The name of the option, for messages.</param>
    /// <param name="path">The path of the file.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="UsageException">The file cannot be read, or is not a report of this version.</exception>
    public static async Task<EarlierReport> ReadAsync(string option, string path, CancellationToken cancellationToken)
    {
        var name = PrintableText.Quoted(path);
        var content = await ReadFileAsync(option, path, name, cancellationToken);
        try
        {
            using var document = JsonDocument.Parse(
                content, new JsonDocumentOptions { MaxDepth = MaxDepth, AllowDuplicateProperties = false });
            return Parse(path, document.RootElement);
        }
        catch (JsonException error)
        {
            var line = error.LineNumber is { } number ? string.Create(CultureInfo.InvariantCulture, $" (line {number + 1})") : "";
            throw new UsageException($"{option}: {name} is not JSON{line}. The file must be a report of kcd doctor --json.", error);
        }
        catch (FormatException error)
        {
            throw new UsageException($"{option}: {name} is not a report of kcd doctor --json: {error.Message}", error);
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadFileAsync(
        string option, string path, string name, CancellationToken cancellationToken)
    {
        try
        {
            await using var file = File.OpenRead(path);
            var buffer = new byte[MaxSize + 1];
            var length = await file.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
            return length switch
            {
                0 => throw new UsageException($"{option}: {name} is empty. It must be a report of kcd doctor --json."),
                > MaxSize => throw new UsageException($"{option}: {name} is larger than {MaxSize} bytes, the maximum size of a report."),
                _ => buffer.AsMemory(0, length),
            };
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            var problem = error is FileNotFoundException or DirectoryNotFoundException ? "does not exist" : "cannot be read";
            throw new UsageException($"{option}: {name} {problem}.", error);
        }
    }

    private static EarlierReport Parse(string path, JsonElement root)
    {
        var version = Get(root, "version", JsonValueKind.Number);
        if (!version.TryGetInt32(out var number) || number != 1)
        {
            throw new FormatException(
                $"The member version is {PrintableText.From(version.GetRawText(), 32)}, and this version of kcd reads version 1.");
        }
        return new EarlierReport(
            path,
            Get(root, "startedAt", JsonValueKind.String).TryGetDateTimeOffset(out var start)
                ? start
                : throw new FormatException("The member startedAt is not a time."),
            [.. Get(root, "findings", JsonValueKind.Array).EnumerateArray().Select(ParseFinding)],
            [
                .. Get(root, "settings", JsonValueKind.Array).EnumerateArray()
                    .Select(line => new SettingsDigestLine(GetText(line, "key"), GetText(line, "value"))),
            ]);
    }

    private static EarlierFinding ParseFinding(JsonElement finding)
    {
        var verdict = GetText(finding, "verdict");
        return Verdicts.Contains(verdict, StringComparer.Ordinal)
            ? new EarlierFinding(
                GetText(finding, "check"), GetText(finding, "subject"), Enum.Parse<DoctorVerdict>(verdict, ignoreCase: true))
            : throw new FormatException($"The member verdict of a finding is {PrintableText.Quoted(verdict)}.");
    }

    private static string GetText(JsonElement parent, string name) => Get(parent, name, JsonValueKind.String).GetString()!;

    private static JsonElement Get(JsonElement parent, string name, JsonValueKind kind) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var member) && member.ValueKind == kind
            ? member
            : throw new FormatException($"The member {name} is missing, or has the wrong type.");
}

/// <summary>One finding of an earlier report.</summary>
/// <param name="Check">The identifier of the check.</param>
/// <param name="Subject">What was examined.</param>
/// <param name="Verdict">The verdict.</param>
internal sealed record EarlierFinding(string Check, string Subject, DoctorVerdict Verdict);
