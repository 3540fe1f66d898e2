using System.Text;
using KcdDelegation.Diagnosis;
using KcdDelegation.Headers;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Http;

/// <summary>The <c>Authorization</c> value of one attempt: created when the connection's certificate is known, and kept to verify the
/// reply.</summary>
/// <remarks>
/// <para>Each attempt needs a new value. <see cref="BeginWrite"/> ensures that no token is sent twice.</para>
/// <para>The request holds a placeholder. The value is encoded into the connection's buffer when .NET writes the request, so there is no
/// string of it, which would take twice the size of the ticket.</para>
/// </remarks>
internal sealed class SentAuthorization(DelegatedCredential credential, TokenFormat format)
{
    /// <summary>The value on the request. A server that gets it, because another handler wrote the request, refuses it.</summary>
    private const string Placeholder = AuthorizationFrame.Scheme;

    private const string OptionsKey = "KcdDelegation.SentAuthorization";
    private static readonly HttpRequestOptionsKey<SentAuthorization> s_key = new(OptionsKey);

    private AuthorizationTemplate? _template;
    private byte[]? _tail;
    private ApRequestState _state;
    private bool _isWritten;

    public TokenFormat Format { get; } = format;

    /// <summary>Whether the ticket is bound to the TLS connection.</summary>
    public bool IsBound => _template is { Kind.ChannelBinding.IsEmpty: false };

    /// <summary>The length of the header's value in bytes.</summary>
    public int Length => _template?.Length ?? 0;

    /// <summary>The number of bytes by which the value is longer than the text that the request holds.</summary>
    public int LengthBeyondPlaceholder => _template is null ? 0 : _template.Length - Placeholder.Length;

    /// <summary>The ticket of the value.</summary>
    public ServiceTicket Ticket => credential.Ticket;

    /// <summary>Whether the ticket was in the cache before the request.</summary>
    public bool IsFromCache => credential.IsFromCache;

    /// <summary>Whether no value could be created, because the ticket was purged or evicted, or has expired, since it was looked
    /// up.</summary>
    public bool IsTicketUnusable { get; private set; }

    /// <summary>Creates a new value and sets it on the request.</summary>
    /// <exception cref="KcdException">The ticket was purged or has expired in the meantime.</exception>
    public void SetOn(HttpRequestMessage request, ReadOnlyMemory<byte> channelBinding)
    {
        using var span = credential.StartHeaderSpan();
        try
        {
            _template = credential.GetTemplate(Format, channelBinding);
            _tail = _template.CreateTail(out _state);
            if (!request.Headers.NonValidated.Contains("Authorization"))
                request.Headers.TryAddWithoutValidation("Authorization", Placeholder);
            request.Options.Set(s_key, this);
            _isWritten = false;
        }
        catch (InvalidOperationException error)
        {
            IsTicketUnusable = true;
            span.FailDropped();
            throw new KcdException(new DelegationFailure(
                KcdStage.Delegation,
                KcdErrorKind.Unavailable, KcdEventId.NoTicket,
                $"The ticket of {credential.Ticket.User} for {credential.Ticket.Service} was dropped while the request waited. "
                    + "Nothing was sent.",
                "Send the request again.") { IsTransient = true }, error);
        }
    }

    /// <summary>Marks the request's value as written to a connection, and returns the encoding that writes it.</summary>
    /// <returns>The encoding of the field's value; null if the request has none.</returns>
    /// <exception cref="TokenSpentException">The value was written before. .NET resends a request without a body if a kept connection
    /// closes before the first byte of the response, and the backend may have accepted the token (RFC 4120 §3.2.3: a replay).</exception>
    public static Encoding? BeginWrite(HttpRequestMessage request)
    {
        if (!request.Options.TryGetValue(s_key, out var sent))
            return null;
        if (sent._isWritten)
            throw new TokenSpentException();
        sent._isWritten = true;
        return new AuthorizationEncoding(sent._template!, sent._tail!);
    }

    /// <summary>Removes the value from the request, because handlers outside of this one may log or resend the request.</summary>
    public static void RemoveFrom(HttpRequestMessage request)
    {
        request.Headers.Remove("Authorization");
        ((IDictionary<string, object?>)request.Options).Remove(OptionsKey);
    }

    /// <summary>Verifies a reply token. Returns null if it answers the value that was sent, otherwise the error.</summary>
    public KerberosException? FindReplyError(ReadOnlySpan<byte> token)
    {
        try
        {
            _state.VerifyReply(_template!.Request, token);
            return null;
        }
        catch (KerberosException error)
        {
            return error;
        }
    }
}

/// <summary>The exception for a connection that broke after the token was written. The request was not written to another
/// connection.</summary>
internal sealed class TokenSpentException()
    : Exception("The backend closed the connection before it answered, and the request's token must not be sent twice.");
