using System.Formats.Asn1;
using System.Text;
using KcdDelegation.DirectoryServices.Connections;
using KcdDelegation.DirectoryServices.Messages;
using KcdDelegation.DirectoryServices.Tests.Servers;
using Decoder = KcdDelegation.Fuzzing.Decoder;

namespace KcdDelegation.DirectoryServices.Tests.Fuzz;

/// <summary>Every decoder of the directory client that reads bytes of a server or of the settings, with the exceptions that it
/// documents.</summary>
internal static class DirectoryDecoders
{
    private const int MaxValues = 1_000;

    private static readonly byte[][] s_messages =
    [
        LdapAnswers.Entry(5, "CN=ada", ("cn", LdapAnswers.Texts("ada")), ("member;range=0-1", LdapAnswers.Texts("CN=a", "CN=b"))),
        LdapAnswers.Done(5, cookie: [1, 2, 3]), LdapAnswers.Done(5, 10, referral: "ldap://other.test/DC=x"),
        LdapAnswers.Done(5, 49, diagnostic: "80090308: LdapErr: DSID-0C09, data 52e, v4563"), LdapAnswers.Bind(1, 14, [1, 2, 3, 4]),
        LdapAnswers.Bind(1, 0), LdapAnswers.Reference(5, "ldap://other.test"), LdapAnswers.Notice(),
    ];

    public static IReadOnlyList<Decoder> All { get; } =
    [
        new("ldap-response", [typeof(DirectoryException)], s_messages, DecodeResponse)
        {
            Mutations = 4_000,
            Extremes =
            [
                LdapAnswers.Entry(5, "CN=x", ("cn", [.. Enumerable.Repeat(Array.Empty<byte>(), 30_000)])),
                LdapAnswers.Entry(5, "CN=x", [.. Enumerable.Repeat(("", Array.Empty<byte[]>()), 10_000)]),
                LdapAnswers.Done(5, 1, diagnostic: new string('\u202e', 20_000)),
                LdapAnswers.Done(5, criticalControl: new string('1', 60_000)),
            ],
        },
        new("ldap-stream", [typeof(DirectoryException)], [.. s_messages, [.. s_messages.SelectMany(message => message)]], ReadStream),
        new("ldap-value-range", [], [.. LdapAnswers.Texts("member;range=0-1499", "member;range=1500-*", "member")], bytes =>
            ValueRange.Parse(Encoding.Latin1.GetString(bytes)) is { } range ? $"{range.First} {range.Last}" : ""),
        new("directory-server", [], [.. LdapAnswers.Texts("dc1.contoso.com", "dc1.contoso.com:389=192.0.2.10")], bytes =>
            DirectoryServer.TryParse(Encoding.UTF8.GetString(bytes), out var server) ? $"{server} {server.Address}" : ""),
    ];

    // As the connection does it, with the text that reaches messages.
    private static string DecodeResponse(byte[] bytes)
    {
        try
        {
            var result = LdapResponse.Decode(bytes, MaxValues) switch
            {
                LdapResponse.Done done => done.Result,
                LdapResponse.Bind bind => bind.Result,
                LdapResponse.Extended extended => extended.Result,
                _ => null,
            };
            return result is null ? "" : DirectoryException.Rejected("dc", $"{result.Diagnostic} {result.Referral}").Message;
        }
        catch (AsnContentException error)
        {
            throw DirectoryException.Rejected("dc", error.Message, error);
        }
        catch (TooManyValuesException error)
        {
            throw DirectoryException.Rejected("dc", error.Message, error);
        }
    }

    private static string ReadStream(byte[] bytes)
    {
        using var source = new MemoryStream(bytes);
        var stream = new LdapStream(source, "dc", 4_096, TimeSpan.FromSeconds(5));
        var read = 0;
        try
        {
            while (read < bytes.Length)
            {
                read += stream.ReceiveAsync(isSecret: false, CancellationToken.None).AsTask().GetAwaiter().GetResult().Length;
            }
        }
        finally
        {
            stream.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
        return "";
    }
}
