using System.Globalization;
using KcdDelegation.Headers;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Errors;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Tool.Output;

/// <summary>The Kerberos message in a token, as far as it is not encrypted.</summary>
internal sealed record InspectedMessage
{
    private const int TokenTypeLength = 2;

    public InspectedApRequest? ApRequest { get; private init; }

    public InspectedKerberosError? Error { get; private init; }

    /// <summary>Gets what is wrong with the message; null if it was read or there is none.</summary>
    public string? Malformed { get; private init; }

    /// <param name="token">A GSS-API token of RFC 4121 §4.1, or a Kerberos message without a frame.</param>
    public static InspectedMessage FromToken(ReadOnlyMemory<byte> token)
    {
        var message = Unwrap(token);
        if (message.IsEmpty)
            return new InspectedMessage();
        try
        {
            return message.Span[0] switch
            {
                BerTag.ApRequest => new InspectedMessage { ApRequest = InspectedApRequest.FromMessage(message) },
                BerTag.KrbError => new InspectedMessage { Error = InspectedKerberosError.FromMessage(message) },
                _ => new InspectedMessage(),
            };
        }
        catch (KerberosException error)
        {
            return new InspectedMessage { Malformed = LabelledLines.ToPrintable(error.Detail) };
        }
    }

    private static ReadOnlyMemory<byte> Unwrap(ReadOnlyMemory<byte> token)
    {
        if (!DefiniteBer.TryRead(ref token, BerTag.GssToken, out var framed))
            return token;
        return DefiniteBer.TryReadObjectIdentifier(ref framed, out var mechanism) && GssMechanism.IsKerberos(mechanism)
            && framed.Length >= TokenTypeLength
            ? framed[TokenTypeLength..]
            : default;
    }
}

/// <summary>The fields of an AP-REQ that are not encrypted (RFC 4120 §5.5.1).</summary>
internal sealed record InspectedApRequest
{
    private const uint UseSessionKey = 0x40000000;

    public required string Service { get; init; }

    public required string Realm { get; init; }

    public required string TicketEncryptionType { get; init; }

    /// <summary>Gets the version of the key that encrypts the ticket; null if the KDC did not state it.</summary>
    public uint? TicketKeyVersion { get; init; }

    public required string AuthenticatorEncryptionType { get; init; }

    /// <summary>Gets the AP options that are set, in the spelling of RFC 4120 §5.5.1.</summary>
    public required IReadOnlyList<string> Options { get; init; }

    /// <exception cref="KerberosException">The message is malformed.</exception>
    public static InspectedApRequest FromMessage(ReadOnlyMemory<byte> message)
    {
        var request = Kerberos.Messages.ApRequest.Decode(message);
        var ticketPart = request.Ticket.EncryptedPart;
        return new InspectedApRequest
        {
            Service = LabelledLines.ToPrintable(request.Ticket.Service.ToString()),
            Realm = LabelledLines.ToPrintable(request.Ticket.Realm),
            TicketEncryptionType = TicketNames.Format(ticketPart.Type),
            TicketKeyVersion = ticketPart.KeyVersion,
            AuthenticatorEncryptionType = TicketNames.Format(request.Authenticator.Type),
            Options = [.. GetOptions(request.Options)],
        };
    }

    public void AddTo(LabelledLines lines)
    {
        lines.Add("service", Service);
        lines.Add("realm", Realm);
        var version = TicketKeyVersion is { } number ? string.Create(CultureInfo.InvariantCulture, $"version {number}") : "no version";
        lines.Add("ticket key", $"{TicketEncryptionType}, {version}");
        lines.Add("authenticator", $"encrypted with {AuthenticatorEncryptionType}");
        lines.Add("options", Options.Count == 0 ? "none" : string.Join(", ", Options));
    }

    private static IEnumerable<string> GetOptions(uint options)
    {
        if ((options & UseSessionKey) != 0)
            yield return "use-session-key";
        if ((options & Kerberos.Messages.ApRequest.MutualRequired) != 0)
            yield return "mutual-required";
    }
}

/// <summary>The fields of a KRB-ERROR (RFC 4120 §5.9.1). None of them is authenticated.</summary>
internal sealed record InspectedKerberosError
{
    /// <summary>Gets the name of the code in RFC 4120 §7.5.9.</summary>
    public required string Code { get; init; }

    public required int Number { get; init; }

    public required DateTimeOffset ServerTime { get; init; }

    public required string Realm { get; init; }

    public required string Service { get; init; }

    /// <summary>Gets the e-text of the server.</summary>
    public string? Text { get; init; }

    /// <summary>Gets the NTSTATUS of a Windows server (MS-KILE §2.2.1).</summary>
    public string? NtStatus { get; init; }

    /// <exception cref="KerberosException">The message is malformed.</exception>
    public static InspectedKerberosError FromMessage(ReadOnlyMemory<byte> message)
    {
        var error = KrbError.Decode(message);
        return new InspectedKerberosError
        {
            Code = KerberosErrorNames.Get(error.Code),
            Number = (int)error.Code,
            ServerTime = error.ServerTime,
            Realm = LabelledLines.ToPrintable(error.Realm),
            Service = LabelledLines.ToPrintable(error.Service.ToString()),
            Text = error.Text is { } text ? LabelledLines.ToPrintable(text) : null,
            NtStatus = KerbErrorData.ReadNtStatus(error.Data) is { } status ? string.Create(CultureInfo.InvariantCulture,
                $"0x{status:X8}") : null,
        };
    }

    public void AddTo(LabelledLines lines)
    {
        var number = Number.ToString(CultureInfo.InvariantCulture);
        lines.Add("error", $"{Code} ({number}){(NtStatus is null ? "" : $", NTSTATUS {NtStatus}")}");
        lines.Add("server time", TicketResult.FormatTime(ServerTime));
        lines.Add("service", Service);
        lines.Add("realm", Realm);
        if (Text is not null)
            lines.Add("text", $"\"{Text}\"");
    }
}
