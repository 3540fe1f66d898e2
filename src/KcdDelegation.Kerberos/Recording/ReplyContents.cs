using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Recording;

/// <summary>The decrypted parts of one reply without their keys, as far as its checks came.</summary>
internal sealed class ReplyContents
{
    public RecordedReplyPart? Part { get; private set; }

    public RecordedEvidence? Evidence { get; private set; }

    public void Add(EncKdcReplyPart part) => Part = new RecordedReplyPart
    {
        Service = part.Service,
        ServiceRealm = part.ServiceRealm,
        Flags = (TicketFlags)part.Flags,
        AuthTime = part.AuthTime,
        StartTime = part.StartTime,
        EndTime = part.EndTime,
        RenewTill = part.RenewTill,
        SessionKeyType = part.Key.Type,
        PaData = RecordedPaData.FromList(part.EncryptedPaData),
    };

    public void Add(EncTicketPart ticket)
    {
        var evidence = new RecordedEvidence { Client = ticket.Client, ClientRealm = ticket.ClientRealm };
        try
        {
            Evidence = evidence with
            {
                PacBuffers = PacBuffers.Find(ticket.AuthorizationData) is { } pac ? PacBuffers.ListTypes(pac.Span) : null,
                Account = PacAccount.Find(ticket.AuthorizationData),
            };
        }
        catch (KerberosException)
        {
            Evidence = evidence; // the checks reject a malformed PAC themselves
        }
    }
}

/// <summary>The encrypted part of a reply without the session key and the nonce.</summary>
internal sealed record RecordedReplyPart
{
    public required PrincipalName Service { get; init; }
    public required string ServiceRealm { get; init; }
    public required TicketFlags Flags { get; init; }
    public required DateTimeOffset AuthTime { get; init; }
    public DateTimeOffset? StartTime { get; init; }
    public required DateTimeOffset EndTime { get; init; }
    public DateTimeOffset? RenewTill { get; init; }
    public required EncryptionType SessionKeyType { get; init; }
    public required IReadOnlyList<RecordedPaData> PaData { get; init; }
}

/// <summary>The client in the encrypted part of a ticket that the account opened, and what its PAC says of the account.</summary>
internal sealed record RecordedEvidence
{
    public required PrincipalName Client { get; init; }
    public required string ClientRealm { get; init; }

    /// <summary>Gets the types of the PAC's buffers in their order, or null if the ticket has no PAC.</summary>
    public IReadOnlyList<uint>? PacBuffers { get; init; }

    /// <summary>Gets the account in the PAC, or null if the PAC names none.</summary>
    public PacAccount? Account { get; init; }
}
