using System.Buffers;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using KcdDelegation.Headers;
using KcdDelegation.Kerberos;
using KcdDelegation.Telemetry;

namespace KcdDelegation;

/// <summary>A credential of one user at one application. It creates any number of header values, each for one request.
/// Thread-safe.</summary>
/// <remarks><c>DelegationClient.GetCredentialAsync</c> returns it. Use it at once and get a new one for the next request, so that the
/// caller's token and name are validated again.</remarks>
public readonly struct DelegatedCredential
{
    /// <summary>The cache for tickets that were not obtained through a delegation client, which has its own.</summary>
    private static readonly AuthorizationTemplateCache s_templatesOfTickets = new();

    // It also has the ticket. Each attempt of a request has a copy of the credential, so a second reference would cost memory.
    private readonly TicketTemplates? _templates;
    private readonly bool _mutual;

    /// <summary>Initializes a credential of a ticket.</summary>
    /// <param name="ticket">The user's ticket for the application.</param>
    /// <param name="templates">The cache that all credentials of a client share.</param>
    /// <param name="mutualAuthentication">The application's setting. With any value but off the service must prove its identity.</param>
    /// <param name="isFromCache">Whether the ticket was in the cache before this request.</param>
    internal DelegatedCredential(
        ServiceTicket ticket, AuthorizationTemplateCache templates, MutualAuthentication mutualAuthentication, bool isFromCache = false)
    {
        _templates = templates.GetTemplates(ticket);
        IsFromCache = isFromCache;
        _mutual = mutualAuthentication != MutualAuthentication.Off;
    }

    /// <summary>Creates a credential of a ticket that was requested by name from <see cref="S4UClient"/>, without a caller.</summary>
    /// <param name="ticket">The user's ticket.</param>
    /// <param name="mutualAuthentication">With any value but off the service must prove its identity.</param>
    public static DelegatedCredential FromTicket(ServiceTicket ticket, MutualAuthentication mutualAuthentication = MutualAuthentication.Off)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        return new DelegatedCredential(ticket, s_templatesOfTickets, mutualAuthentication);
    }

    /// <summary>The ticket, for protocols other than HTTP.</summary>
    /// <exception cref="InvalidOperationException">The credential is <c>default</c>.</exception>
    public ServiceTicket Ticket => (_templates ?? throw WithoutTicket()).Ticket;

    /// <summary>Whether the ticket was in the cache before this request, so that the service's key may have changed since.</summary>
    internal bool IsFromCache { get; }

    /// <summary>Creates a value for the <c>Authorization</c> header of one request.</summary>
    /// <param name="format">The frame of the ticket. <see cref="TokenFormat.Auto"/> creates the raw Kerberos token, since there is no
    /// response of the backend to learn from.</param>
    /// <param name="channelBinding">The application data of RFC 5929 for the connection, "tls-server-end-point:" and the hash; empty for
    /// none.</param>
    /// <exception cref="InvalidOperationException">The ticket was purged or has expired since the credential was created.</exception>
    public AuthenticationHeaderValue CreateAuthorization(TokenFormat format, ReadOnlyMemory<byte> channelBinding = default)
    {
        using var span = StartHeaderSpan();
        try
        {
            return new AuthenticationHeaderValue(AuthorizationFrame.Scheme, GetTemplate(format, channelBinding).CreateParameter(out _));
        }
        catch (InvalidOperationException)
        {
            span.FailDropped();
            throw;
        }
    }

    /// <summary>Writes a value for the <c>Authorization</c> header of one request, "Negotiate " and base64 in ASCII. From a ticket's third
    /// value on it allocates nothing.</summary>
    /// <param name="output">Receives the value.</param>
    /// <param name="format"><inheritdoc cref="CreateAuthorization" path="/param[@name='format']"/></param>
    /// <param name="channelBinding"><inheritdoc cref="CreateAuthorization" path="/param[@name='channelBinding']"/></param>
    /// <returns>The state that a reply of the service is verified against.</returns>
    /// <exception cref="InvalidOperationException">The ticket was purged or has expired since the credential was created.</exception>
    public ApRequestState WriteAuthorization(IBufferWriter<byte> output, TokenFormat format, ReadOnlyMemory<byte> channelBinding = default)
    {
        ArgumentNullException.ThrowIfNull(output);
        using var span = StartHeaderSpan();
        try
        {
            return GetTemplate(format, channelBinding).Write(output);
        }
        catch (InvalidOperationException)
        {
            span.FailDropped();
            throw;
        }
    }

    /// <summary>Starts the span in which a header is created.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal DelegationSpan StartHeaderSpan() =>
        DelegationSpan.Start(
            DelegationSpan.Header, DelegationSpan.DelegationStage, application: null, _templates?.Ticket.User.Realm,
            _templates?.Ticket.Service);

    internal AuthorizationTemplate GetTemplate(TokenFormat format, ReadOnlyMemory<byte> channelBinding)
    {
        var kind = new AuthorizationKind(format == TokenFormat.Auto ? TokenFormat.Kerberos : format, _mutual, channelBinding);
        return (_templates ?? throw WithoutTicket()).Get(kind);
    }

    private static InvalidOperationException WithoutTicket() =>
        new("This credential was not created by DelegationClient.GetCredentialAsync.");
}
