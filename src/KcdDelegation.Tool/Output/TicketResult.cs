using System.Globalization;
using KcdDelegation.Kerberos;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Output;

/// <summary>A ticket without its secrets.</summary>
internal sealed record TicketResult : CommandResult
{
    public required string User { get; init; }

    public required string Service { get; init; }

    public required string DelegatedBy { get; init; }

    public required IReadOnlyList<string> Flags { get; init; }

    public required string TicketEncryptionType { get; init; }

    public required string SessionKeyType { get; init; }

    /// <summary>Gets the size of the ticket in bytes.</summary>
    public required int Size { get; init; }

    public required DateTimeOffset AuthTime { get; init; }

    public required DateTimeOffset StartTime { get; init; }

    public required DateTimeOffset EndTime { get; init; }

    /// <summary>Gets the credential cache file to which the ticket was written.</summary>
    public string? CredentialCache { get; init; }

    public static TicketResult FromTicket(ServiceTicket ticket, KerberosPrincipal delegatedBy) => new()
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
            { "auth time", FormatTime(AuthTime) },
            { "valid", $"{FormatTime(StartTime)} to {FormatTime(EndTime)} ({FormatSpan(EndTime - StartTime)})" },
        };
        if (CredentialCache is not null)
            lines.Add("cache", $"{CredentialCache} (every reader of this file can act as {User})");
        lines.Write(output);
    }

    public static string FormatTime(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string FormatSpan(TimeSpan span) =>
        string.Create(CultureInfo.InvariantCulture, $"{(int)span.TotalHours} h {span.Minutes} min");
}
