using System.Formats.Asn1;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Accepting;
using KcdDelegation.Testing.Accounts;
using KcdDelegation.Testing.Errors;
using KcdDelegation.Testing.Exchanges;

namespace KcdDelegation.Testing;

/// <summary>A service that validates <c>Authorization</c> headers with its key, as a web server does (RFC 4559, RFC 4120 §3.2.3). It checks
/// frame, ticket, authenticator, clock, replay and channel binding. Thread-safe.</summary>
public sealed class TestAcceptor
{
    private readonly TestAcceptorOptions _options;
    private readonly ServicePrincipalName _service;
    private readonly RealmState _realm;
    private readonly ApRequestOpener _opener;

    /// <summary>Initializes an acceptor with the service's keys in its realm, including old and future versions.</summary>
    /// <param name="realm">The realm of the service.</param>
    /// <param name="servicePrincipalName">The service, such as HTTP/app. Tickets for other names of the same account are accepted
    /// too.</param>
    /// <param name="options">The settings; null: the defaults.</param>
    /// <exception cref="ArgumentException">The realm has no such service.</exception>
    public TestAcceptor(TestRealm realm, string servicePrincipalName, TestAcceptorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(realm);
        _options = options ?? new TestAcceptorOptions();
        _service = ServicePrincipalName.Parse(servicePrincipalName);
        _realm = realm.State;
        _opener = new ApRequestOpener(_realm, _realm.Accounts.Get(servicePrincipalName));
    }

    /// <summary>Validates an <c>Authorization</c> value and returns the authenticated user.</summary>
    /// <param name="authorization"><c>Negotiate</c> or <c>Kerberos</c>, a space, base64.</param>
    /// <param name="channelBinding">The channel's application data ("tls-server-end-point:" and the hash); empty: the channel has
    /// none.</param>
    /// <exception cref="KerberosException">The value was refused, with the code that a server would send
    /// (<see cref="KerberosExchange.Accept"/>).</exception>
    public AcceptedIdentity Accept(string authorization, ReadOnlyMemory<byte> channelBinding = default)
    {
        try
        {
            return Accept(ReadScheme(authorization), channelBinding);
        }
        catch (KdcRefusalException refusal)
        {
            throw CreateRefusal(refusal.Code, "the token was refused", refusal);
        }
        catch (Exception error) when (error is FormatException or AsnContentException or KerberosException)
        {
            throw CreateRefusal(KerberosErrorCode.Generic, error.Message, error);
        }
    }

    private static (string Scheme, byte[] Token) ReadScheme(string authorization)
    {
        ArgumentNullException.ThrowIfNull(authorization);
        var parts = authorization.Split(' ', 2);
        return parts is [var scheme, var token] && IsScheme(scheme)
            ? (scheme, Convert.FromBase64String(token))
            : throw new FormatException("The value is not the scheme Negotiate or Kerberos with a token.");
    }

    private static bool IsScheme(string scheme) =>
        scheme.Equals("Negotiate", StringComparison.OrdinalIgnoreCase) || scheme.Equals("Kerberos", StringComparison.OrdinalIgnoreCase);

    private AcceptedIdentity Accept((string Scheme, byte[] Token) header, ReadOnlyMemory<byte> channelBinding)
    {
        var spnego = SpnegoFrame.Read(header.Token);
        var format = spnego is null ? TestTokenFormats.Kerberos : TestTokenFormats.Spnego;
        if (!_options.Formats.HasFlag(format))
            throw new FormatException($"The token is framed as {format}; {_options.Formats} is accepted.");
        var (type, message) = GssKerberosToken.Unwrap(spnego?.Token ?? header.Token);
        if (type != GssKerberosToken.ApRequestToken)
            throw new FormatException($"The token is of type {type:X4}, not an AP-REQ.");

        var opened = _opener.Open(message);
        var isBound = ChannelBindingCheck.Verify(opened.Authenticator, channelBinding.Span, _options.ChannelBinding);
        var proof = opened.WantsMutualAuthentication ? CreateReply(opened) : null;
        var reply = spnego is { } frame ? SpnegoFrame.AcceptCompleted(frame.Mechanism, proof) : proof;
        var client = opened.Ticket.Client;
        return new AcceptedIdentity
        {
            User = client.Name.ToPrincipal(client.Realm),
            SamAccountName = opened.Ticket.Pac?.SamName,
            UserPrincipalName = opened.Ticket.Pac?.UserPrincipalName,
            Sid = opened.Ticket.Pac is { } pac ? SecurityIdentifier.FromBytes(pac.Sid.Span).Text : null,
            Flags = (TicketFlags)opened.Ticket.Part.Flags,
            Format = format,
            WantsMutualAuthentication = opened.WantsMutualAuthentication,
            IsChannelBound = isBound,
            Reply = reply is null ? null : $"{header.Scheme} {Convert.ToBase64String(reply)}",
        };
    }

    // RFC 4120 §3.2.4: the AP-REP echoes the authenticator's time under the ticket's session key.
    private byte[]? CreateReply(OpenedRequest opened)
    {
        if (_options.MutualReply == TestMutualReply.None)
            return null;
        var sessionKey = opened.Ticket.Part.Key;
        var key = _options.MutualReply == TestMutualReply.Forged ? KerberosKey.CreateRandom(sessionKey.Type) : sessionKey;
        var time = opened.Authenticator.Time - (_options.MutualReply == TestMutualReply.Stale ? TimeSpan.FromSeconds(1) : TimeSpan.Zero);
        var part = new EncApReplyPart(time, opened.Authenticator.Microseconds).Encode();
        var reply = new ApReply(EncryptedData.Encrypt(key, KeyUsage.ApReply, part));
        return GssKerberosToken.Wrap(GssKerberosToken.ApReplyToken, reply.Encode());
    }

    private KerberosException CreateRefusal(KerberosErrorCode code, string detail, Exception cause) => new(new KerberosFailure
    {
        Code = code,
        Exchange = KerberosExchange.Accept,
        Reason = KerberosFailureReason.TokenRejected,
        Realm = _realm.Name,
        Service = _service,
        Detail = detail,
    }, cause);
}
