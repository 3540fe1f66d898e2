using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Recording;

/// <summary>The fields of an AS-REQ or TGS-REQ that are not secret (RFC 4120 §5.4.1).</summary>
internal sealed record RecordedRequest
{
    /// <summary>Gets the size of the message in bytes.</summary>
    public required int Size { get; init; }

    public required KdcMessageType Type { get; init; }

    public required KdcOptionFlags Options { get; init; }

    /// <summary>Gets the client of an AS-REQ.</summary>
    public PrincipalName? Client { get; init; }

    /// <summary>Gets the realm in the request.</summary>
    public required string Realm { get; init; }

    public required PrincipalName Service { get; init; }

    public required DateTimeOffset Till { get; init; }

    public required IReadOnlyList<EncryptionType> EncryptionTypes { get; init; }

    public required IReadOnlyList<RecordedPaData> PaData { get; init; }

    public required IReadOnlyList<RecordedTicket> AdditionalTickets { get; init; }

    /// <summary>Reads a request of this client. Returns null if the bytes are no request.</summary>
    public static RecordedRequest? FromMessage(ReadOnlyMemory<byte> message)
    {
        try
        {
            var request = KdcRequestMessage.Decode(message);
            var body = KdcRequestBody.Decode(request.EncodedBody);
            return new RecordedRequest
            {
                Size = message.Length,
                Type = request.Type,
                Options = body.Options,
                Client = body.Client,
                Realm = body.Realm,
                Service = body.Service,
                Till = body.Till,
                EncryptionTypes = [.. body.EncryptionTypes],
                PaData = RecordedPaData.FromList(request.PaData),
                AdditionalTickets = [.. body.AdditionalTickets.Select(RecordedTicket.FromTicket)],
            };
        }
        catch (KerberosException)
        {
            // A recorder must never change the result of an exchange.
            return null;
        }
    }
}

/// <summary>The fields of a ticket that are not encrypted (RFC 4120 §5.3).</summary>
internal sealed record RecordedTicket(PrincipalName Service, string Realm, EncryptionType EncryptionType, uint? KeyVersion, int Size)
{
    public static RecordedTicket FromTicket(Ticket ticket)
    {
        var part = ticket.EncryptedPart;
        return new RecordedTicket(ticket.Service, ticket.Realm, part.Type, part.KeyVersion, ticket.Encoded.Length);
    }
}
