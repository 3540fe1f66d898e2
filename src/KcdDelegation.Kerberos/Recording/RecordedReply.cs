using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Recording;

/// <summary>The fields of an AS-REP, TGS-REP or KRB-ERROR that are not secret, and the result of its checks.</summary>
internal sealed record RecordedReply
{
    /// <summary>Gets the size of the message in bytes.</summary>
    public required int Size { get; init; }

    /// <summary>Gets the time from the request to the end of the checks.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>Gets the ticket of an AS-REP or TGS-REP; null for an error, and for bytes that are no Kerberos message.</summary>
    public RecordedTicketReply? Ticket { get; init; }

    public RecordedError? Error { get; init; }

    /// <summary>Gets the reason for which the reply was rejected; null if it was accepted, or if it is the KDC's error.</summary>
    public KerberosFailureReason? Rejection { get; init; }

    /// <summary>Gets the check that rejected the reply.</summary>
    public string? RejectedBecause { get; init; }

    /// <param name="reply">The bytes of the reply.</param>
    /// <param name="contents">The parts that the checks decrypted.</param>
    /// <param name="error">The exception of the checks, or null.</param>
    /// <param name="now">This machine's time.</param>
    public static RecordedReply FromMessage(
        ReadOnlyMemory<byte> reply, ReplyContents contents, KerberosException? error, DateTimeOffset now)
    {
        var recorded = new RecordedReply { Size = reply.Length };
        if (error is { Code: null })
            recorded = recorded with { Rejection = error.Reason, RejectedBecause = error.Detail };
        try
        {
            if (KrbError.Is(reply))
                return recorded with { Error = RecordedError.FromError(KrbError.Decode(reply), now) };
            var isAsReply = !reply.IsEmpty && reply.Span[0] == (0x60 | (int)KdcMessageType.AsReply);
            var message = KdcReplyMessage.Decode(isAsReply ? KdcMessageType.AsReply : KdcMessageType.TgsReply, reply);
            return recorded with { Ticket = RecordedTicketReply.FromReply(message, contents) };
        }
        catch (KerberosException)
        {
            return recorded; // the checks rejected these bytes too, and their detail is recorded
        }
    }
}

/// <summary>An AS-REP or TGS-REP (RFC 4120 §5.4.2).</summary>
internal sealed record RecordedTicketReply
{
    public required KdcMessageType Type { get; init; }

    public required PrincipalName Client { get; init; }

    public required string ClientRealm { get; init; }

    public required RecordedTicket Ticket { get; init; }

    /// <summary>Gets the type of the key that encrypts the reply.</summary>
    public required EncryptionType EncryptionType { get; init; }

    public required IReadOnlyList<RecordedPaData> PaData { get; init; }

    /// <summary>Gets the fields of the encrypted part, or null if it was not decrypted.</summary>
    public RecordedReplyPart? Part { get; init; }

    /// <summary>Gets the contents of the ticket, if it is for the account itself and the account's key opened it.</summary>
    public RecordedEvidence? Evidence { get; init; }

    public static RecordedTicketReply FromReply(KdcReplyMessage message, ReplyContents contents) => new()
    {
        Type = message.Type,
        Client = message.Client,
        ClientRealm = message.ClientRealm,
        Ticket = RecordedTicket.FromTicket(message.Ticket),
        EncryptionType = message.EncryptedPart.Type,
        PaData = RecordedPaData.FromList(message.PaData),
        Part = contents.Part,
        Evidence = contents.Evidence,
    };
}

/// <summary>A KRB-ERROR (RFC 4120 §5.9.1). None of its fields is authenticated.</summary>
internal sealed record RecordedError
{
    public required KerberosErrorCode Code { get; init; }

    public int? NtStatus { get; init; }

    public string? Text { get; init; }

    public required DateTimeOffset ServerTime { get; init; }

    /// <summary>Gets the KDC's time minus this machine's time. The KDC's time has no fractions of a second.</summary>
    public required TimeSpan ClockOffset { get; init; }

    /// <summary>Gets the realm to which the KDC refers the client.</summary>
    public string? ClientRealm { get; init; }

    public required string Realm { get; init; }

    public required PrincipalName Service { get; init; }

    /// <summary>Gets the pre-authentication data in the e-data.</summary>
    public required IReadOnlyList<RecordedPaData> PaData { get; init; }

    public static RecordedError FromError(KrbError error, DateTimeOffset now) => new()
    {
        Code = error.Code,
        NtStatus = KerbErrorData.ReadNtStatus(error.Data),
        Text = string.IsNullOrWhiteSpace(error.Text) ? null : error.Text,
        ServerTime = error.ServerTime,
        ClockOffset = error.ServerTime - now,
        ClientRealm = error.ClientRealm,
        Realm = error.Realm,
        Service = error.Service,
        PaData = RecordedPaData.FromMethodData(error.Data),
    };
}
