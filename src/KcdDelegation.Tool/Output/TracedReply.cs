using System.Globalization;
using KcdDelegation.Kerberos.Errors;
using KcdDelegation.Kerberos.Recording;

namespace KcdDelegation.Tool.Output;

/// <summary>An AS-REP, TGS-REP or KRB-ERROR in a transcript.</summary>
internal sealed record TracedReply
{
    /// <summary>Gets the name of the message in RFC 4120; null if the bytes are no such message.</summary>
    public string? Message { get; init; }

    public required int Size { get; init; }

    public required double ElapsedMilliseconds { get; init; }

    /// <summary>Gets the client that the reply names.</summary>
    public TracedName? Client { get; init; }

    public string? ClientRealm { get; init; }

    public TracedTicket? Ticket { get; init; }

    /// <summary>Gets the type of the key that encrypts the reply.</summary>
    public string? EncryptionType { get; init; }

    public IReadOnlyList<TracedPaData>? PreAuthentication { get; init; }

    /// <summary>Gets the fields of the encrypted part; null if it was not decrypted.</summary>
    public TracedReplyPart? Decrypted { get; init; }

    /// <summary>Gets what the ticket to the account itself contains.</summary>
    public TracedEvidence? Evidence { get; init; }

    public TracedError? Error { get; init; }

    /// <summary>Gets the name of the <see cref="Kerberos.KerberosFailureReason"/>; null if the reply was not rejected.</summary>
    public string? Rejection { get; init; }

    /// <summary>Gets the check that rejected the reply.</summary>
    public string? RejectedBecause { get; init; }

    public static TracedReply FromRecord(RecordedReply reply, TraceNames names)
    {
        var ticket = reply.Ticket;
        return new TracedReply
        {
            Message = reply.Error is not null ? "KRB-ERROR" : ticket is null ? null : ProtocolNames.FormatMessage(ticket.Type),
            Size = reply.Size,
            ElapsedMilliseconds = TraceResult.ToMilliseconds(reply.Elapsed),
            Client = ticket is null ? null : TracedName.FromName(ticket.Client, names),
            ClientRealm = ticket is null ? null : names.ShowRealm(ticket.ClientRealm),
            Ticket = ticket is null ? null : TracedTicket.FromRecord(ticket.Ticket, names),
            EncryptionType = ticket is null ? null : TicketNames.Format(ticket.EncryptionType),
            PreAuthentication = ticket is { PaData.Count: > 0 } ? TracedPaData.FromList(ticket.PaData, names) : null,
            Decrypted = ticket?.Part is { } part ? TracedReplyPart.FromRecord(part, names) : null,
            Evidence = ticket?.Evidence is { } evidence ? TracedEvidence.FromRecord(evidence, names) : null,
            Error = reply.Error is { } error ? TracedError.FromRecord(error, names) : null,
            Rejection = reply.Rejection?.ToString(),
            RejectedBecause = names.ShowText(reply.RejectedBecause),
        };
    }

    public void AddTo(LabelledLines lines)
    {
        lines.Add("reply", string.Create(
            CultureInfo.InvariantCulture, $"{Message ?? "no Kerberos message"}, {Size} bytes, after {ElapsedMilliseconds:0.0} ms"));
        if (Client is not null)
            lines.Add("client", $"{Client}, realm {ClientRealm}");
        if (Ticket is not null)
            lines.Add("ticket", Ticket.ToString());
        foreach (var entry in PreAuthentication ?? [])
            lines.Add("pre-auth", entry.ToString());
        if (Ticket is not null && Decrypted is null)
            lines.Add("encrypted part", $"not decrypted ({EncryptionType})");
        Decrypted?.AddTo(lines, EncryptionType!);
        Evidence?.AddTo(lines);
        Error?.AddTo(lines);
        if (Rejection is not null)
            lines.Add("rejected", $"{RejectedBecause} ({Rejection})");
    }
}

/// <summary>The encrypted part of a reply without its keys.</summary>
internal sealed record TracedReplyPart
{
    public required string Service { get; init; }

    public required string Realm { get; init; }

    public required IReadOnlyList<string> Flags { get; init; }

    public required string SessionKeyType { get; init; }

    public required DateTimeOffset AuthTime { get; init; }

    public DateTimeOffset? StartTime { get; init; }

    public required DateTimeOffset EndTime { get; init; }

    public DateTimeOffset? RenewTill { get; init; }

    public required IReadOnlyList<TracedPaData> PreAuthentication { get; init; }

    public static TracedReplyPart FromRecord(RecordedReplyPart part, TraceNames names) => new()
    {
        Service = names.Show(part.Service),
        Realm = names.ShowRealm(part.ServiceRealm),
        Flags = [.. TicketNames.Format(part.Flags)],
        SessionKeyType = TicketNames.Format(part.SessionKeyType),
        AuthTime = part.AuthTime,
        StartTime = part.StartTime,
        EndTime = part.EndTime,
        RenewTill = part.RenewTill,
        PreAuthentication = TracedPaData.FromList(part.PaData, names),
    };

    public void AddTo(LabelledLines lines, string encryptionType)
    {
        lines.Add("encrypted part", $"for {Service}@{Realm}, {encryptionType}");
        lines.Add("flags", TraceResult.Join(Flags));
        lines.Add("session key", SessionKeyType);
        var renewable = RenewTill is { } till ? $", renewable until {TicketResult.FormatTime(till)}" : "";
        lines.Add("auth time", TicketResult.FormatTime(AuthTime));
        lines.Add("valid", $"{TicketResult.FormatTime(StartTime ?? AuthTime)} to {TicketResult.FormatTime(EndTime)}{renewable}");
        foreach (var entry in PreAuthentication)
            lines.Add("encrypted pa", entry.ToString());
    }
}

/// <summary>The client and the PAC in a ticket that the account's key opened.</summary>
internal sealed record TracedEvidence
{
    public required TracedName Client { get; init; }

    public required string ClientRealm { get; init; }

    /// <summary>Gets the types of the PAC's buffers; null if the ticket has no PAC.</summary>
    public IReadOnlyList<string>? PacBuffers { get; init; }

    public string? AccountName { get; init; }

    public string? SecurityIdentifier { get; init; }

    public static TracedEvidence FromRecord(RecordedEvidence evidence, TraceNames names)
    {
        // The texts of failures can contain the account's UPN. The transcript itself does not.
        if (evidence.Account is { UserPrincipalName.Length: > 0 } account)
            names.ShowUser(account.UserPrincipalName);
        return new TracedEvidence
        {
            Client = TracedName.FromName(evidence.Client, names),
            ClientRealm = names.ShowRealm(evidence.ClientRealm),
            PacBuffers = evidence.PacBuffers is { } buffers ? [.. buffers.Select(ProtocolNames.FormatPacBuffer)] : null,
            AccountName = evidence.Account?.SamAccountName is { } name ? names.ShowUser(name) : null,
            SecurityIdentifier = evidence.Account?.SecurityIdentifier is { } sid ? names.ShowSid(sid) : null,
        };
    }

    public void AddTo(LabelledLines lines)
    {
        lines.Add("opened ticket", $"client {Client}, realm {ClientRealm}");
        lines.Add("PAC", PacBuffers is null ? "none" : TraceResult.Join(PacBuffers));
        if (AccountName is not null || SecurityIdentifier is not null)
            lines.Add("account", $"{AccountName ?? "no name"}, {SecurityIdentifier ?? "no SID"}");
    }
}

/// <summary>A KRB-ERROR in a transcript. None of its fields is authenticated.</summary>
internal sealed record TracedError
{
    /// <summary>Gets the name of the code in RFC 4120 §7.5.9.</summary>
    public required string Code { get; init; }

    public required int Number { get; init; }

    public string? NtStatus { get; init; }

    /// <summary>Gets the e-text.</summary>
    public string? Text { get; init; }

    public required DateTimeOffset ServerTime { get; init; }

    /// <summary>Gets the KDC's time minus this machine's time. The KDC's time has no fractions of a second.</summary>
    public required double ClockOffsetSeconds { get; init; }

    public required string Service { get; init; }

    public required string Realm { get; init; }

    /// <summary>Gets the realm to which the KDC refers the client.</summary>
    public string? ClientRealm { get; init; }

    public required IReadOnlyList<TracedPaData> PreAuthentication { get; init; }

    public static TracedError FromRecord(RecordedError error, TraceNames names) => new()
    {
        Code = KerberosErrorNames.Get(error.Code),
        Number = (int)error.Code,
        NtStatus = error.NtStatus is { } status ? string.Create(CultureInfo.InvariantCulture, $"0x{status:X8}") : null,
        Text = error.Text is { } text ? names.ShowKdcText(text) : null,
        ServerTime = error.ServerTime,
        ClockOffsetSeconds = Math.Round(error.ClockOffset.TotalSeconds, 1),
        Service = names.Show(error.Service),
        Realm = names.ShowRealm(error.Realm),
        ClientRealm = error.ClientRealm is { } realm ? names.ShowRealm(realm) : null,
        PreAuthentication = TracedPaData.FromList(error.PaData, names),
    };

    public void AddTo(LabelledLines lines)
    {
        var status = NtStatus is null ? "" : $", NTSTATUS {NtStatus}";
        lines.Add("error", string.Create(CultureInfo.InvariantCulture, $"{Code} ({Number}){status}"));
        if (Text is not null)
            lines.Add("text", $"\"{Text}\"");
        lines.Add("for", $"{Service}@{Realm}");
        if (ClientRealm is not null)
            lines.Add("client realm", ClientRealm);
        var offset = string.Create(CultureInfo.InvariantCulture, $"{ClockOffsetSeconds:+0.0;-0.0;0.0} s");
        lines.Add("server time", $"{TicketResult.FormatTime(ServerTime)}, {offset} from this machine's clock");
        foreach (var entry in PreAuthentication)
            lines.Add("pre-auth", entry.ToString());
    }
}
