using Microsoft.Extensions.Options;

namespace KcdDelegation.Settings;

/// <summary>Lets the host refuse to start with wrong settings, all mistakes listed.</summary>
internal sealed class KcdOptionsValidation : IValidateOptions<KcdOptions>
{
    public ValidateOptionsResult Validate(string? name, KcdOptions options) =>
        SettingsParser.TryParse(options, out _, out var errors) ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
}
