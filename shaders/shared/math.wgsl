// The functions of assembly/math.ts: built-in ones may be off by far more, and differ from GPU to GPU.
fn power_of_two(n: i32) -> f32 { return bitcast<f32>(bitcast<u32>(n + 127) << 23u); }
fn exp_safe(given: f32) -> f32 {
  let x = clamp_nan(given, -104.0, 89.0);
  if (is_nan(x)) { return x; }
  let n = round(x * 1.44269504);
  var r = x - n * 0.693359375;
  r = r - n * -2.12194440e-4;
  var p = 1.9875691500e-4;
  p = p * r + 1.3981999507e-3;
  p = p * r + 8.3334519073e-3;
  p = p * r + 4.1665795894e-2;
  p = p * r + 1.6666665459e-1;
  p = p * r + 5.0000001201e-1;
  p = (r * r * p + r) + 1.0;
  let half = i32(n) >> 1u;
  return p * power_of_two(half) * power_of_two(i32(n) - half);
}

// e^x - 1 for x up to 25, as 2^n q + (2^n - 1) with e^x = 2^n (1 + q): nothing cancels.
fn expm1_safe(given: f32) -> f32 {
  let x = clamp_nan(given, -104.0, 25.0);
  if (is_nan(x)) { return x; }
  let n = round(x * 1.44269504);
  var r = x - n * 0.693359375;
  r = r - n * -2.12194440e-4;
  var p = 1.9875691500e-4;
  p = p * r + 1.3981999507e-3;
  p = p * r + 8.3334519073e-3;
  p = p * r + 4.1665795894e-2;
  p = p * r + 1.6666665459e-1;
  p = p * r + 5.0000001201e-1;
  let q = r * r * p + r;
  if (n == 0.0) { return q; }
  let scale = power_of_two(max(i32(n), -126));
  return scale * q + (scale - 1.0);
}

// x = 2^e m with m from sqrt(1 / 2) to sqrt(2), and log m by Cephes' polynomial. A denormal is its bits, times 2^-149.
fn log_safe(x: f32) -> f32 {
  let given = bitcast<u32>(x);
  if (is_nan(x) || given == 0x7f800000u) { return x; }
  if ((given & 0x7fffffffu) == 0u) { return -infinity(); }
  if ((given >> 31u) == 1u) { return nan(); }
  let tiny = given < 0x800000u;
  let bits = bitcast<i32>(select(given, bitcast<u32>(f32(given)), tiny)) - 0x3f3504f3;
  let e = f32(bits >> 23u) - select(0.0, 149.0, tiny);
  let t = bitcast<f32>((bits & 0x7fffff) + 0x3f3504f3) - 1.0;
  let z = t * t;
  var p = 7.0376836292e-2;
  p = p * t - 1.1514610310e-1;
  p = p * t + 1.1676998740e-1;
  p = p * t - 1.2420140846e-1;
  p = p * t + 1.4249322787e-1;
  p = p * t - 1.6668057665e-1;
  p = p * t + 2.0000714765e-1;
  p = p * t - 2.4999993993e-1;
  p = p * t + 3.3333331174e-1;
  let y = t * z * p - 2.12194440e-4 * e - 0.5 * z;
  return (t + y) + 0.693359375 * e;
}

// log(1 + t) for -1/2 <= t <= 1
fn log1p_safe(t: f32) -> f32 {
  let s = t / (2.0 + t);
  let z = s * s;
  var p = 2.0 / 15.0;
  p = p * z + 2.0 / 13.0;
  p = p * z + 2.0 / 11.0;
  p = p * z + 2.0 / 9.0;
  p = p * z + 2.0 / 7.0;
  p = p * z + 2.0 / 5.0;
  p = p * z + 2.0 / 3.0;
  p = p * z + 2.0;
  return p * s;
}

fn sigmoid_safe(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let e = exp_safe(-abs(x));
  let small = e / (1.0 + e);
  return select(small, 1.0 / (1.0 + e), x >= 0.0);
}

fn tanh_safe(given: f32) -> f32 {
  if (is_nan(given)) { return given; }
  let x = clamp(given, -20.0, 20.0);
  if (abs(x) < 0.625) {
    let z = x * x;
    var p = -5.70498872745e-3;
    p = p * z + 2.06390887954e-2;
    p = p * z + -5.37397155531e-2;
    p = p * z + 1.33314422036e-1;
    p = p * z + -3.33332819422e-1;
    return p * z * x + x;
  }
  let far = 1.0 - 2.0 / (exp_safe(2.0 * abs(x)) + 1.0);
  return select(-far, far, x > 0.0);
}

fn erf_safe(given: f32) -> f32 {
  let x = clamp_nan(given, -4.0, 4.0);
  let z = x * x;
  var p = -2.72614225801306e-10;
  p = p * z + 2.77068142495902e-8;
  p = p * z + -2.10102402082508e-6;
  p = p * z + -5.69250639462346e-5;
  p = p * z + -7.34990630326855e-4;
  p = p * z + -2.9545998085402e-3;
  p = p * z + -1.60960333262415e-2;
  var q = -1.45660718464996e-5;
  q = q * z + -2.13374055278905e-4;
  q = q * z + -1.68282697438203e-3;
  q = q * z + -7.37332916720468e-3;
  q = q * z + -1.42647390514189e-2;
  return x * p / q;
}

// Floats from 2^23 on are whole, and infinities and NaN stay what they are.
fn is_whole(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) >= 0x4b000000u; }

// The polynomial of Cephes' atanf, up to tan(pi / 8).
fn atan_safe(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  var a = min(abs(x), 1e30);
  var start = 0.0;
  if (a > 2.41421356) {
    start = 1.57079633;
    a = -1.0 / a;
  } else if (a > 0.414213562) {
    start = 0.785398163;
    a = (a - 1.0) / (a + 1.0);
  }
  let z = a * a;
  let p = -3.33329491539e-1 + z * (1.99777106478e-1 + z * (-1.38776856032e-1 + z * 8.05374449538e-2));
  let y = start + (a + a * z * p);
  return select(y, -y, (bitcast<u32>(x) >> 31u) == 1u);
}
