using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using KcdDelegation.Headers;

namespace KcdDelegation;

/// <summary>The token of an <c>Authorization</c> or <c>WWW-Authenticate</c> header, classified by object identifiers. Immutable.</summary>
/// <remarks>Only frames are read; nothing is decrypted or trusted. The base64 text does not reveal the kind: SPNEGO and raw Kerberos both
/// begin with "YII".</remarks>
public sealed class NegotiateToken
{
    private NegotiateToken(
        NegotiateTokenKind kind, ReadOnlyMemory<byte> mechanismToken, IReadOnlyList<string>? mechanisms = null,
        NegTokenResp? response = null)
    {
        Kind = kind;
        MechanismToken = mechanismToken;
        Mechanisms = mechanisms ?? [];
        Response = response;
    }

    /// <summary>The kind of the token.</summary>
    public NegotiateTokenKind Kind { get; }

    /// <summary>The object identifiers that SPNEGO offers (NegTokenInit, in the sender's order) or chose (NegTokenResp, at most one); empty
    /// for other tokens.</summary>
    public IReadOnlyList<string> Mechanisms { get; }

    /// <summary>The token inside SPNEGO, empty if there is none; for other kinds the whole token.</summary>
    public ReadOnlyMemory<byte> MechanismToken { get; }

    /// <summary>The state of the negotiation, for <see cref="NegotiateTokenKind.SpnegoResponse"/>.</summary>
    internal NegTokenResp? Response { get; }

    /// <summary>Parses a header value (<c>Negotiate …</c>, <c>Kerberos …</c>, <c>NTLM …</c>; the scheme in any case) or its base64 alone.
    /// Never throws.</summary>
    /// <param name="headerOrBase64">The text. Surrounding white space is ignored.</param>
    /// <param name="token">The token.</param>
    /// <returns>False if the text is no token of a known kind.</returns>
    public static bool TryParse(ReadOnlySpan<char> headerOrBase64, [NotNullWhen(true)] out NegotiateToken? token)
    {
        token = null;
        var text = headerOrBase64.Trim();
        var space = text.IndexOf(' ');
        if (space >= 0)
        {
            if (!IsKnownScheme(text[..space]))
                return false;
            text = text[(space + 1)..].TrimStart();
        }
        var bytes = new byte[text.Length / 4 * 3];
        return Convert.TryFromBase64Chars(text, bytes, out var length) && TryParseOwned(bytes.AsMemory(0, length), out token);
    }

    /// <summary>Parses the bytes of a token. Never throws.</summary>
    /// <param name="token">The token. The bytes are copied.</param>
    /// <param name="result">The token.</param>
    /// <returns>False if the bytes are no token of a known kind.</returns>
    public static bool TryParse(ReadOnlySpan<byte> token, [NotNullWhen(true)] out NegotiateToken? result) =>
        TryParseOwned(token.ToArray(), out result);

    /// <summary>Returns the kind and the mechanisms, but not the token itself.</summary>
    public override string ToString() => Mechanisms.Count == 0 ? Kind.ToString() : $"{Kind} ({string.Join(", ", Mechanisms)})";

    private static bool IsKnownScheme(ReadOnlySpan<char> scheme) =>
        scheme.Equals("Negotiate", StringComparison.OrdinalIgnoreCase)
        || scheme.Equals("Kerberos", StringComparison.OrdinalIgnoreCase)
        || scheme.Equals("NTLM", StringComparison.OrdinalIgnoreCase);

    private static bool TryParseOwned(ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out NegotiateToken? result)
    {
        result = null;
        if (GetSimpleKind(bytes) is { } kind)
            result = new NegotiateToken(kind, bytes);
        else if (TryOpenSpnego(bytes, out var choice, out var message))
        {
            if (choice == BerTag.Context(0) && NegTokenInit.TryRead(message, out var init))
                result = new NegotiateToken(GetKind(init!), init!.MechToken, init.MechTypes);
            else if (choice == BerTag.Context(1) && NegTokenResp.TryRead(message, out var response))
                result = new NegotiateToken(
                    NegotiateTokenKind.SpnegoResponse,
                    response!.ResponseToken,
                    response.SupportedMechanism is { } mechanism ? [mechanism] : [],
                    response);
        }
        return result is not null;
    }

    /// <summary>Reads the outer frame of SPNEGO (RFC 4178 §4.2). The first message has a GSS frame; later ones and those of lenient peers
    /// do not.</summary>
    private static bool TryOpenSpnego(ReadOnlyMemory<byte> bytes, out byte choice, out ReadOnlyMemory<byte> message)
    {
        if (DefiniteBer.TryRead(ref bytes, BerTag.GssToken, out var framed))
        {
            (choice, message) = (0, default);
            return DefiniteBer.TryReadObjectIdentifier(ref framed, out var mechanism)
                && mechanism == GssMechanism.Spnego
                && DefiniteBer.TryRead(ref framed, out choice, out message);
        }
        return DefiniteBer.TryRead(ref bytes, out choice, out message);
    }

    /// <summary>Gets the kind of a NegTokenInit from the token that it carries, or from its first mechanism if it carries none.</summary>
    private static NegotiateTokenKind GetKind(NegTokenInit init)
    {
        if (init.MechToken.IsEmpty)
            return GssMechanism.IsKerberos(init.MechTypes[0]) ? NegotiateTokenKind.SpnegoKerberos
                : init.MechTypes[0] == GssMechanism.Ntlm ? NegotiateTokenKind.SpnegoNtlm
                : NegotiateTokenKind.SpnegoOther;
        return GetSimpleKind(init.MechToken) switch
        {
            NegotiateTokenKind.NtlmNegotiate or NegotiateTokenKind.NtlmChallenge or NegotiateTokenKind.NtlmAuthenticate =>
                NegotiateTokenKind.SpnegoNtlm,
            NegotiateTokenKind.Kerberos or NegotiateTokenKind.BareApRequest => NegotiateTokenKind.SpnegoKerberos,
            _ => NegotiateTokenKind.SpnegoOther,
        };
    }

    /// <summary>Gets the kind of a token that contains no other token.</summary>
    private static NegotiateTokenKind? GetSimpleKind(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Span.StartsWith("NTLMSSP\0"u8))
            return bytes.Length < 12 ? null : BinaryPrimitives.ReadUInt32LittleEndian(bytes.Span[8..]) switch
            {
                1 => NegotiateTokenKind.NtlmNegotiate,
                2 => NegotiateTokenKind.NtlmChallenge,
                3 => NegotiateTokenKind.NtlmAuthenticate,
                _ => null,
            };
        if (!DefiniteBer.TryRead(ref bytes, out var tag, out var contents))
            return null;
        return tag switch
        {
            BerTag.ApRequest => NegotiateTokenKind.BareApRequest,
            BerTag.ApReply => NegotiateTokenKind.KerberosReply,
            BerTag.KrbError => NegotiateTokenKind.KerberosError,
            BerTag.GssToken when DefiniteBer.TryReadObjectIdentifier(ref contents, out var mechanism)
                && GssMechanism.IsKerberos(mechanism) =>
                GetKerberosKind(contents.Span),
            _ => null,
        };
    }

    /// <summary>Gets the kind from the TOK_ID (RFC 4121 §4.1): 01 00 is an AP-REQ, 02 00 an AP-REP, 03 00 a KRB-ERROR.</summary>
    private static NegotiateTokenKind? GetKerberosKind(ReadOnlySpan<byte> innerToken) => innerToken switch
    {
        [0x01, 0x00, BerTag.ApRequest, ..] => NegotiateTokenKind.Kerberos,
        [0x02, 0x00, BerTag.ApReply, ..] => NegotiateTokenKind.KerberosReply,
        [0x03, 0x00, BerTag.KrbError, ..] => NegotiateTokenKind.KerberosError,
        _ => null,
    };
}
