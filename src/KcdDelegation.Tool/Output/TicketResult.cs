using System.Globalization;
using KcdDelegation.Kerberos;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Output;

/// <summary>A ticket, without any of its secrets.</summary>
internal sealed record TicketResult : CommandResult
{
    public required string User { get; init; }

    public required string Service { get; init; }

    public required string DelegatedBy { get; init; }

    public required IReadOnlyList<string> Flags { get; init; }

    public required string TicketEncryptionType { get; init; }

    public required string SessionKeyType { get; init; }

    /// <summary>Bytes of the ticket.</summary>
    public required int Size { get; init; }

    public required DateTimeOffset AuthTime { get; init; }

    public required DateTimeOffset StartTime { get; init; }

    public required DateTimeOffset EndTime { get; init; }

    /// <summary>The credential cache that has the ticket now.</summary>
    public string? CredentialCache { get; init; }

    public static TicketResult From(ServiceTicket ticket, KerberosPrincipal delegatedBy) => new()
    {
        User = ticket.User.ToString(),
        Service = ticket.Service.ToString(),
        DelegatedBy = delegatedBy.ToString(),
        Flags = [.. TicketNames.Format(ticket.Flags)],
        TicketEncryptionType = TicketNames.Format(ticket.TicketEncryptionType),
        SessionKeyType = TicketNames.Format(ticket.SessionKeyType),
        Size = ticket.Size,
        AuthTime = ticket.AuthTime,
        StartTime = ticket.StartTime,
        EndTime = ticket.EndTime,
    };

    public override void WriteText(OutputStream output)
    {
        var lines = new LabelledLines
        {
            { "user", User },
            { "service", Service },
            { "delegated by", DelegatedBy },
            { "flags", Flags.Count == 0 ? "none" : string.Join(", ", Flags) },
            { "ticket", string.Create(CultureInfo.InvariantCulture, $"{Size} bytes, {TicketEncryptionType}") },
            { "session key", SessionKeyType },
            { "auth time", Time(AuthTime) },
            { "valid", $"{Time(StartTime)} to {Time(EndTime)} ({Span(EndTime - StartTime)})" },
        };
        if (CredentialCache is not null)
            lines.Add("cache", $"{CredentialCache} (whoever can read it can act as {User})");
        lines.Write(output);
    }

    private static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Span(TimeSpan span) => string.Create(CultureInfo.InvariantCulture, $"{(int)span.TotalHours} h {span.Minutes} min");
}
