namespace KcdDelegation.Gateway.Settings;

/// <summary>The settings of the gateway as they are written in its file, next to the section <c>Kcd</c> of the library.</summary>
internal sealed class GatewayOptions
{
    /// <summary>Gets or sets the listener.</summary>
    public ListenerOptions Listener { get; set; } = new();

    /// <summary>Gets or sets the folder for data that outlives the process.</summary>
    public string? State { get; set; }

    /// <summary>Gets the identity providers by a name of the administrator's choice.</summary>
    public IDictionary<string, IdentityProviderOptions> IdentityProviders { get; } =
        new Dictionary<string, IdentityProviderOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Gets the applications by a name of the administrator's choice.</summary>
    public IDictionary<string, GatewayApplicationOptions> Applications { get; } =
        new Dictionary<string, GatewayApplicationOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Gets or sets the sessions of browsers.</summary>
    public SessionOptions Sessions { get; set; } = new();

    /// <summary>Gets or sets forward authentication.</summary>
    public ForwardAuthenticationOptions ForwardAuthentication { get; set; } = new();

    /// <summary>Gets or sets the texts of the pages.</summary>
    public PageOptions Pages { get; set; } = new();

    /// <summary>Gets or sets the log, the audit and the telemetry.</summary>
    public OperationOptions Operation { get; set; } = new();
}
