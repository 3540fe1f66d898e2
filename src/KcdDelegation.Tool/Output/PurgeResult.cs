using System.Text.Json;
using KcdDelegation.Kerberos.Names;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Output;

/// <summary>The answer of a gateway to a purge.</summary>
internal sealed record PurgeResult : CommandResult
{
    private ExitCode _code = ExitCode.Done;

    /// <summary>Gets the number of removed tickets; null if the gateway refused.</summary>
    public int? Tickets { get; init; }

    /// <summary>Gets the number of ended sessions; null if none were to be ended.</summary>
    public int? Sessions { get; init; }

    /// <summary>Gets the reason of a refusal; null for a success.</summary>
    public string? Error { get; init; }

    /// <summary>Parses the line that the gateway sent.</summary>
    public static PurgeResult Parse(string line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            if (document.RootElement.TryGetProperty("tickets", out var tickets) && tickets.TryGetInt32(out var count))
            {
                int? ended = document.RootElement.TryGetProperty("sessions", out var sessions) ? sessions.GetInt32() : null;
                return new PurgeResult { Tickets = count, Sessions = ended };
            }
            if (document.RootElement.TryGetProperty("error", out var error))
                return new PurgeResult { Error = PrintableText.From(error.ToString()), _code = ExitCode.Refused };
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            // The answer is not that of a gateway, which is reported below.
        }
        return new PurgeResult { Error = "The socket is not that of a kcd-gateway.", _code = ExitCode.Refused };
    }

    /// <summary>Creates the result of a gateway that does not answer.</summary>
    public static PurgeResult Unreachable(string path, string reason) => new()
    {
        Error = $"{PrintableText.From(path)} does not answer: {PrintableText.From(reason)}. Start the gateway with "
            + "Operation:AdminSocket, or correct --socket.",
        _code = ExitCode.NoAnswer,
    };

    public override ExitCode ToExitCode() => _code;

    public override void WriteText(OutputStream output)
    {
        if (Sessions is { } sessions)
            output.Writer.WriteLine($"Ended sessions: {sessions}.");
        output.Writer.WriteLine(Error is null ? $"Removed tickets: {Tickets}." : $"Nothing was removed. {Error}");
    }
}
