using System.Formats.Asn1;

namespace KcdDelegation.DirectoryServices.Messages;

/// <summary>The result of an operation (RFC 4511 §4.1.9).</summary>
/// <remarks>LDAPResult ::= SEQUENCE { resultCode ENUMERATED, matchedDN LDAPDN, diagnosticMessage LDAPString, referral [3] Referral OPTIONAL
/// }.</remarks>
internal sealed record LdapResult(int Code, string Diagnostic, string? Referral)
{
    private const int MaxTextLength = 400;

    /// <summary>Reads the components. Fields of a response may follow.</summary>
    public static LdapResult Read(AsnReader fields)
    {
        var code = fields.ReadEnumeratedBytes().Span is { Length: 1 } bytes && bytes[0] < 0x80
            ? bytes[0]
            : throw new AsnContentException("A result code is out of range.");
        fields.ReadOctets();
        var diagnostic = ReadFreeText(fields.ReadOctets().Span);
        string? referral = null;
        if (fields.IsNext(LdapTags.Context(3)))
        {
            var uris = fields.ReadDefinite(LdapTags.ContextConstructed(3));
            while (uris.HasData)
            {
                var uri = uris.ReadOctets();
                referral ??= ReadFreeText(uri.Span);
            }
        }
        return new LdapResult(code, diagnostic, referral);
    }

    /// <summary>Reads text for people. Servers send other encodings and a trailing null character.</summary>
    private static string ReadFreeText(ReadOnlySpan<byte> bytes) =>
        System.Text.Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, MaxTextLength)]).TrimEnd('\0');
}
