namespace KcdDelegation.Gateway.Settings;

/// <summary>The settings of the gateway cannot be used.</summary>
/// <param name="errors">Every error, with the key of its setting.</param>
internal sealed class GatewaySettingsException(IReadOnlyList<string> errors)
    : Exception(string.Join(Environment.NewLine, errors.Prepend("The settings are not valid:")))
{
    public IReadOnlyList<string> Errors { get; } = errors;
}
