using System.Text.Encodings.Web;
using System.Text.Json;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>Writes a report as JSON, for the command and for the gateway. docs/doctor.md describes the format.</summary>
internal static class DoctorJson
{
    /// <summary>The version of the format. It increases when a member changes its meaning or is removed, not when one is added.</summary>
    private const int Version = 1;

    private static readonly JsonWriterOptions Options = new()
    {
        Indented = true,
        // The object goes to a terminal or a program, never into a web page: + and < stay readable.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes the report.</summary>
    /// <param name="report">The report.</param>
    /// <param name="program">The version of the program that made it.</param>
    /// <param name="config">The source of the settings.</param>
    /// <param name="output">The destination.</param>
    /// <param name="writeMore">Writes further members; null if there are none.</param>
    public static void Write(
        DoctorReport report, string program, string config, Stream output, Action<Utf8JsonWriter>? writeMore = null)
    {
        using var json = new Utf8JsonWriter(output, Options);
        json.WriteStartObject();
        json.WriteNumber("version", Version);
        json.WriteString("tool", program);
        json.WriteString("config", config);
        json.WriteString("startedAt", report.StartedAt);
        json.WriteNumber("seconds", Math.Round(report.Duration.TotalSeconds, 1));
        json.WriteString("verdict", GetName(report.Verdict));
        json.WriteBoolean("isIncomplete", report.IsIncomplete);
        json.WriteStartArray("findings");
        foreach (var finding in report.Findings)
            Write(json, finding);
        json.WriteEndArray();
        json.WriteStartArray("settings");
        foreach (var line in report.Settings)
        {
            json.WriteStartObject();
            json.WriteString("key", line.Key);
            json.WriteString("value", line.Value);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        writeMore?.Invoke(json);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, DoctorFinding finding)
    {
        json.WriteStartObject();
        json.WriteNumber("number", finding.Number);
        json.WriteString("check", finding.Check);
        json.WriteString("stage", GetName(finding.Stage));
        json.WriteString("verdict", GetName(finding.Verdict));
        json.WriteString("subject", finding.Subject);
        json.WriteString("title", finding.Title);
        json.WriteString("text", finding.Text);
        json.WriteStartArray("evidence");
        foreach (var line in finding.Evidence)
            json.WriteStringValue(line);
        json.WriteEndArray();
        if (finding.Remedy is not null)
            json.WriteString("remedy", finding.Remedy);
        json.WriteStartArray("mend");
        foreach (var command in finding.Commands)
        {
            json.WriteStartObject();
            if (command.System is not null)
                json.WriteString("system", command.System);
            json.WriteString("text", command.Text);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        if (finding.Proof is not null)
            json.WriteString("prove", finding.Proof);
        json.WriteString("help", $"docs/troubleshooting.md#{finding.Help}");
        json.WriteBoolean("isNoAnswer", finding.IsNoAnswer);
        json.WriteEndObject();
    }

    /// <summary>Returns the name of a verdict or stage in a report.</summary>
    public static string GetName(Enum value) => value.ToString().ToLowerInvariant();
}
