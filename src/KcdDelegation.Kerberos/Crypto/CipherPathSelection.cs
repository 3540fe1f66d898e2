using System.Runtime.Intrinsics.X86;
using System.Runtime.Versioning;
using Microsoft.Win32;
using X86Aes = System.Runtime.Intrinsics.X86.Aes;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>Decides whose cryptography makes authenticators.</summary>
internal static class CipherPathSelection
{
    /// <summary>An <see cref="AppContext"/> switch (runtimeconfig.json) for those who want the platform's cryptography everywhere.</summary>
    public const string SwitchName = "KcdDelegation.Kerberos.PlatformCryptographyOnly";

    private static readonly Lazy<bool> AcceleratedByDefault = new(() =>
        CanAccelerate && !(AppContext.TryGetSwitch(SwitchName, out bool platformOnly) && platformOnly) && !IsFipsModeOn());

    public static bool CanAccelerate => X86Aes.IsSupported && Ssse3.IsSupported;

    public static CipherPath Resolve(CipherPath path) => path switch
    {
        CipherPath.Automatic => AcceleratedByDefault.Value ? CipherPath.Accelerated : CipherPath.Platform,
        CipherPath.Accelerated when !CanAccelerate => throw new PlatformNotSupportedException("This processor has no AES instructions that the engine can use."),
        _ => path,
    };

    /// <summary>In FIPS mode only validated modules may do cryptography, and managed code is none.</summary>
    private static bool IsFipsModeOn() => OperatingSystem.IsWindows() ? IsFipsPolicyOn() : IsFipsKernel() || Md5.IsRefused;

    [SupportedOSPlatform("windows")]
    private static bool IsFipsPolicyOn() =>
        Registry.GetValue(@"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Lsa\FipsAlgorithmPolicy", "Enabled", 0) is not (null or 0);

    private static bool IsFipsKernel()
    {
        const string Flag = "/proc/sys/crypto/fips_enabled";
        return File.Exists(Flag) && File.ReadAllText(Flag).AsSpan().Trim() is not "0";
    }
}
